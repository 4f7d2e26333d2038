"""Refuses forms of other sites (cross-site request forgery), by what browsers say of where a form stood."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.core.page_names import API, FORMER_UNSUBSCRIBE, HOOKS, SIGN_UP, UNSUBSCRIBE
from newsletter.web.guard import REASON

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1
# Their right is in the request itself, and no cookie adds to it: a token in the path, a signature. The form to
# sign up may stand on other sites; it asks for no more than anybody may ask.
_FROM_ANYWHERE = tuple(f"/{path}/" for path in (UNSUBSCRIBE, FORMER_UNSUBSCRIBE, SIGN_UP, API, HOOKS))
_REFUSAL = "This form stood on another site. Please use the one on our page.\n"


class SameSiteForms:
    """ASGI middleware: what changes something is taken from pages of this site, and from what is no browser."""

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        """Begin; `public_url` is where readers reach the pages, or empty."""
        self._app = app
        self._host = urlsplit(public_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and scope["method"] not in _SAFE:
            headers = Headers(scope=scope)
            hosts = {headers.get("Host", "").lower(), self._host} - {""}
            if not scope["path"].startswith(_FROM_ANYWHERE) and not is_from_own_page(headers, hosts):
                scope[REASON] = "form of another site"
                await PlainTextResponse(_REFUSAL, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_from_own_page(headers: Mapping[str, str], hosts: set[str]) -> bool:
    """Return whether a request comes from a page of this site, from the user alone, or from no browser at all.

    Browsers say so in `Sec-Fetch-Site` (Fetch Metadata, W3C); older ones, and all of them over plain HTTP, only in
    `Origin` (RFC 6454, 7). What says neither is no browser.

    Args:
        headers: the request's.
        hosts: what this site is called, each with its port if it has one, in lower case.
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() in hosts
    except ValueError:
        return False
