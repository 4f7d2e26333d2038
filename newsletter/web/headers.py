"""The response headers of the public pages."""

from __future__ import annotations

# The headers of each answer that does not set its own. A Referer header would carry a reader's token to every site
# that the reader's page links to.
STRICT = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def with_script(nonce: str) -> dict[str, str]:
    """Return the headers of a page with a script of its own, which has the nonce (chosen by chance)."""
    policy = f"{STRICT['Content-Security-Policy']}; script-src 'nonce-{nonce}'"
    return {"Content-Security-Policy": policy}


# For pages without a reader's data: browsers may keep them and search engines may show them.
PUBLIC = {"Cache-Control": "public, max-age=3600", "X-Robots-Tag": "all"}
