"""Leaving a list: the page with the button, and one-click unsubscribe (RFC 8058)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.core.page_names import FORMER_UNSUBSCRIBE, UNSUBSCRIBE
from newsletter.core.subscriber import Subscriber
from newsletter.core.syncing import LEFT
from newsletter.core.tokens import TEST_COPY, Links
from newsletter.ports import Clock, Issues, Subscribers
from newsletter.ports.pages import PageRenderer
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.languages import asked
from newsletter.web.pages.readers import shown_to

log = structlog.get_logger(__name__)

# A one-click body has 26 bytes; as multipart form data, which RFC 8058 also allows, a few hundred.
_MAX_BODY_BYTES = 8192


def routes(
    subscribers: Subscribers, issues: Issues, links: Links, renderer: PageRenderer, clock: Clock
) -> list[Route]:
    """Return the routes: GET asks, POST takes the reader off the list.

    Args:
        subscribers: finds the reader of a token, and takes who leaves off the list.
        issues: the newest issue says how a list presents itself.
        links: reads the signed tokens.
        renderer: renders the pages `unsubscribe`, `unsubscribed`, `test_copy` and `gone`.
        clock: the present moment, for the time at which a reader left.
    """
    pages = _LeavingPages(subscribers, issues, links, renderer, clock)
    paths = [f"/{first}/{{{SECRET_PARAMETER}}}" for first in (UNSUBSCRIBE, FORMER_UNSUBSCRIBE)]
    return [
        Route(path, page, methods=[method])
        for path, (method, page) in product(paths, (("GET", pages.ask), ("POST", pages.leave)))
    ]


@dataclass(frozen=True, slots=True)
class _LeavingPages:
    subscribers: Subscribers
    issues: Issues
    links: Links
    renderer: PageRenderer
    clock: Clock

    async def ask(self, request: Request) -> Response:
        """Show the button. Mail scanners follow links, so this changes nothing."""
        key = self._key(request)
        if key == TEST_COPY:
            return self._of_nobody(request)
        subscriber = await self.subscribers.by_key(key)
        return await self._page("unsubscribe", subscriber) if subscriber else self._gone(request)

    async def leave(self, request: Request) -> Response:
        """Take the reader off the list, after one click in a mail program (RFC 8058) or the page's button."""
        body = await _body(request)
        # The token alone decides. The body only distinguishes a mail provider from a browser, so no mistake in
        # its encoding or wording keeps anybody on the list.
        one_click = b"List-Unsubscribe" in body and b"One-Click" in body
        key = self._key(request)
        if key == TEST_COPY:
            return (
                PlainTextResponse("This is a test copy. Nothing was changed.\n")
                if one_click
                else self._of_nobody(request)
            )
        left = await self.subscribers.leave(key, reason=LEFT, now=self.clock())
        if left is None:
            return (
                PlainTextResponse("This subscription no longer exists.\n", 410)
                if one_click
                else self._gone(request)
            )
        log.info("unsubscribed", list=left.subscriber.list, one_click=one_click, news=left.is_news)
        if one_click:
            return PlainTextResponse("Unsubscribed.\n" if left.is_news else "Already unsubscribed.\n")
        return await self._page("unsubscribed", left.subscriber)

    def _key(self, request: Request) -> int:
        """Return the number of the token's subscriber.

        Raises:
            HTTPException: 404: we did not sign the token.
        """
        key = self.links.read_unsubscribe(request.path_params[SECRET_PARAMETER])
        if key is None:
            raise HTTPException(404)
        return key

    async def _page(self, name: str, subscriber: Subscriber) -> Response:
        masthead = (await shown_to(self.issues, subscriber)).masthead
        return HTMLResponse(self.renderer.page(name, {"masthead": masthead, "email": subscriber.email}))

    def _of_nobody(self, request: Request) -> Response:
        return HTMLResponse(self.renderer.page("test_copy", asked(request)))

    def _gone(self, request: Request) -> Response:
        return HTMLResponse(self.renderer.page("gone", asked(request)), 410)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise HTTPException(413)
    return body
