"""The response headers of the public pages."""

from __future__ import annotations

# The headers of each answer that does not set its own. A Referer header would carry a reader's token to every site
# that the reader's page links to. It stays within this site: with none at all, browsers hide where a form stood.
STRICT = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' https: data:; style-src 'self'; script-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

# For pages without a reader's data: browsers may keep them and search engines may show them.
PUBLIC = {"Cache-Control": "public, max-age=3600", "X-Robots-Tag": "all"}
