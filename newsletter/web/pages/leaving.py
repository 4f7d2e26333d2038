"""Leaving a list: the page with the button, one-click unsubscribe (RFC 8058), and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from newsletter.core.leaving import UNDO_FOR, may_undo
from newsletter.core.page_names import FORMER_UNSUBSCRIBE, STAY, UNSUBSCRIBE
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.core.syncing import LEFT
from newsletter.core.tokens import TEST_COPY, Links
from newsletter.ports import Clock, Issues, Leaving, Leavings, Subscribers
from newsletter.ports.pages import PageRenderer
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.forms import read_body
from newsletter.web.pages.languages import asked
from newsletter.web.pages.readers import NOBODY, masthead_for, page_path

log = structlog.get_logger(__name__)

# A one-click body has 26 bytes; as multipart form data, which RFC 8058 also allows, a few hundred.
_MAX_BODY_BYTES = 8192


def routes(
    subscribers: Subscribers,
    leavings: Leavings,
    issues: Issues,
    links: Links,
    renderer: PageRenderer,
    clock: Clock,
) -> list[Route]:
    """Return the routes: GET asks, POST takes the reader off the list, or brings them back.

    Args:
        subscribers: finds the reader of a token, and takes who leaves off the list.
        leavings: knows who left, and takes it back.
        issues: the newest issue says how a list presents itself.
        links: makes and reads the tokens.
        renderer: renders the pages `unsubscribe`, `unsubscribed`, `stay`, `test_copy` and `gone`.
        clock: the present moment, for the time at which a reader left.
    """
    pages = _LeavingPages(subscribers, leavings, issues, links, renderer, clock)
    paths = [f"/{first}/{{{SECRET_PARAMETER}}}" for first in (UNSUBSCRIBE, FORMER_UNSUBSCRIBE)]
    stay = f"/{STAY}/{{{SECRET_PARAMETER}}}"
    return [
        *(
            Route(path, page, methods=[method])
            for path, (method, page) in product(paths, (("GET", pages.ask), ("POST", pages.leave)))
        ),
        Route(stay, pages.ask_back, methods=["GET"]),
        Route(stay, pages.bring_back, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class _LeavingPages:
    subscribers: Subscribers
    leavings: Leavings
    issues: Issues
    links: Links
    renderer: PageRenderer
    clock: Clock

    async def ask(self, request: Request) -> Response:
        """Show the button, or that the reader has left. Mail scanners follow links, so this changes nothing."""
        key = self._key(request)
        if key == TEST_COPY:
            return self._of_nobody(request)
        subscriber = await self.subscribers.by_key(key)
        if subscriber is None:
            return self._gone(request, key)
        if subscriber.status is not SubscriberStatus.UNSUBSCRIBED:
            return await self._page("unsubscribe", subscriber)
        leaving = await self.leavings.last(key)
        return await self._left(request, subscriber, leaving, is_news=False)

    async def leave(self, request: Request) -> Response:
        """Take the reader off the list, after one click in a mail program (RFC 8058) or the page's button."""
        body = await read_body(request, _MAX_BODY_BYTES)
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
            if not one_click or key == NOBODY:
                return self._gone(request, key)
            return PlainTextResponse("This subscription no longer exists.\n", 410)
        log.info("unsubscribed", list=left.subscriber.list, one_click=one_click, news=left.is_news)
        if one_click:
            return PlainTextResponse("Unsubscribed.\n" if left.is_news else "Already unsubscribed.\n")
        leaving = await self.leavings.last(key)
        return await self._left(request, left.subscriber, leaving, is_news=left.is_news)

    async def ask_back(self, request: Request) -> Response:
        """Show the button that brings a reader back who has just left."""
        leaving = await self.leavings.find(self._leaving(request))
        if leaving is None:
            raise HTTPException(404)
        return await self._page("stay", leaving.reader, is_done=False)

    async def bring_back(self, request: Request) -> Response:
        """Bring a reader back who has just left; the link works once."""
        back = await self.leavings.undo(self._leaving(request), now=self.clock())
        if back is None:
            raise HTTPException(404)
        log.info("stayed", list=back.list)
        return await self._page("stay", back, is_done=True)

    def _key(self, request: Request) -> int:
        """Return the number of the token's subscriber, or `NOBODY`, who is looked for like any other."""
        key = self.links.read_unsubscribe(request.path_params[SECRET_PARAMETER])
        return NOBODY if key is None else key

    def _leaving(self, request: Request) -> int:
        """Return the number of the token's leaving, or `NOBODY`."""
        return self.links.read_stay(request.path_params[SECRET_PARAMETER], now=self.clock()) or NOBODY

    async def _left(
        self, request: Request, subscriber: Subscriber, leaving: Leaving | None, *, is_news: bool
    ) -> Response:
        """Show that a reader has left, with what they may do about it."""
        stay = ""
        if leaving is not None and may_undo(leaving.at, now=self.clock()):
            stay = page_path(request, self.links, self.links.stay(leaving.key, leaving.at + UNDO_FOR))
        left_on = leaving.at.date() if leaving and not is_news else None
        return await self._page("unsubscribed", subscriber, left_on=left_on, stay_url=stay)

    async def _page(self, name: str, subscriber: Subscriber, **values: Any) -> Response:
        masthead = await masthead_for(self.issues, subscriber)
        values |= {"masthead": masthead, "email": subscriber.email}
        return HTMLResponse(self.renderer.page(name, values))

    def _of_nobody(self, request: Request) -> Response:
        return HTMLResponse(self.renderer.page("test_copy", asked(request)))

    def _gone(self, request: Request, key: int) -> Response:
        """Answer where there is no such reader.

        Raises:
            HTTPException: 404: we did not make the token.
        """
        if key == NOBODY:
            raise HTTPException(404)
        return HTMLResponse(self.renderer.page("gone", asked(request)), 410)
