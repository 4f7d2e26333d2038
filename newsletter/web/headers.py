"""The response headers of the public pages."""

from __future__ import annotations

# The headers of each answer that does not set its own. A Referer header would carry a reader's token to every site
# that the reader's page links to. It stays within this site: with none at all, browsers hide where a form stood.
STRICT = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

# For pages without a reader's data: browsers may keep them, other sites may load and search engines may show them.
OPEN = {"Cross-Origin-Resource-Policy": "cross-origin", "X-Robots-Tag": "all"}
PUBLIC = {**OPEN, "Cache-Control": "public, max-age=3600"}


def of_site(public_url: str, hsts: int) -> dict[str, str]:
    """Return the headers of a site's answers.

    Args:
        public_url: where readers reach it, or empty.
        hsts: for how many seconds browsers are to come by https alone (RFC 6797); 0: they are told nothing,
            nor are they where readers come by plain http.
    """
    secure = {"Strict-Transport-Security": f"max-age={hsts}"} if hsts and public_url.startswith("https://") else {}
    return STRICT | secure
