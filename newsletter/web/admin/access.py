"""Who may see the operator's pages: from which networks, and signed in by the token of the settings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from hmac import compare_digest
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from newsletter.core.seals import Seals
from newsletter.core.tokens import Links
from newsletter.ports import Clock
from newsletter.web.clients import Asking, Clients
from newsletter.web.pages.forms import Form, read_body
from newsletter.web.static import root_of

log = structlog.get_logger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

# Beside the headers of all pages: the one script may ask for our own pages, and for no other.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}
SIGN_IN = "sign-in"
MAX_BODY_BYTES = 4096

_COOKIE = "newsletter_operator"
_PURPOSE = b"operator"
_LASTS = timedelta(hours=12)
_NUMBER_BYTES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Lets operators in.

    Attributes:
        token: what they sign in with; not empty.
        networks: from where their pages can be asked for; for all others there are no such pages.
        clients: tells where requests come from.
        links: holds the key that seals sessions, and the address of the site.
        clock: the present moment.
        tries: how often each address may try to sign in.
    """

    token: str = field(repr=False)
    networks: Sequence[IPv4Network | IPv6Network]
    clients: Clients
    links: Links
    clock: Clock
    tries: Asking

    def signed_in(self, handler: Handler) -> Handler:
        """Return a handler that lets operators in who have signed in; all others it asks to do so."""

        async def asked(request: Request) -> Response:
            if not self._has_session(request):
                return RedirectResponse(f"{root_of(request)}-/admin/{SIGN_IN}", 303)
            return await handler(request)

        return self.within_networks(asked)

    def within_networks(self, handler: Handler) -> Handler:
        """Return a handler that answers nobody from outside of the operator's networks: there is no such page."""

        async def asked(request: Request) -> Response:
            if not self.clients.is_from(request, self.networks):
                raise HTTPException(404)
            response = await handler(request)
            response.headers.update(HEADERS)
            return response

        return asked

    async def sign_in(self, request: Request, page: Callable[[str], str]) -> Response:
        """Sign an operator in who knows the token.

        Args:
            request: with the form.
            page: returns the page with the form and a mistake.
        """
        address = self.clients.address(request)
        form = Form.read(await read_body(request, MAX_BODY_BYTES), most=10)
        if not await self.tries.take(address or "unknown"):
            log.warning("operator_not_signed_in", client=address, reason="too many tries")
            return HTMLResponse(page("Too many tries from your address. Try again in an hour."), 429)
        if not compare_digest(_hash(form.one("token").strip()), _hash(self.token)):
            log.warning("operator_not_signed_in", client=address, reason="wrong token")
            return HTMLResponse(page("This is not the token. It stands in NEWSLETTER_WEB__ADMIN_TOKEN."), 403)
        log.info("operator_signed_in", client=address)
        response = RedirectResponse("./", 303)
        # Without a path the browser takes that of this page, whatever path the site is served under.
        response.set_cookie(
            _COOKIE,
            self._seals.seal_until(_PURPOSE, self._number, self.clock() + _LASTS),
            max_age=int(_LASTS.total_seconds()),
            path=None,
            secure=self._is_secure(request),
            httponly=True,
            samesite="strict",
        )
        return response

    async def sign_out(self, _: Request) -> Response:
        """Forget who was signed in."""
        response = RedirectResponse(SIGN_IN, 303)
        response.set_cookie(_COOKIE, "", max_age=0, path=None, httponly=True, samesite="strict")
        return response

    def _has_session(self, request: Request) -> bool:
        sealed = request.cookies.get(_COOKIE, "")
        return self._seals.open_before_end(_PURPOSE, sealed, now=self.clock()) == self._number

    @property
    def _seals(self) -> Seals:
        return Seals(self.links.secret_key)

    @property
    def _number(self) -> int:
        """Return what sessions hold: it changes with the token, so that a new one ends them all."""
        return int.from_bytes(_hash(self.token)[:_NUMBER_BYTES])

    def _is_secure(self, request: Request) -> bool:
        """Return whether the browser is to send the cookie over TLS alone."""
        public = urlsplit(self.links.public_url)
        is_public_host = public.netloc.lower() == request.headers.get("Host", "").lower()
        return self.clients.came_by_https(request) or (public.scheme == "https" and is_public_host)


def _hash(token: str) -> bytes:
    """Return a hash, so that comparing tells nothing of a token, not even its length."""
    return blake2b(token.encode()).digest()
