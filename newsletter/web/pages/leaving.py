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

from newsletter.core.leaving import UNDO_FOR, Instead, end_of_pause, less, may_undo, why
from newsletter.core.newsletter_list import Cadence, Masthead
from newsletter.core.page_names import FORMER_UNSUBSCRIBE, STAY, UNSUBSCRIBE
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.core.syncing import LEFT
from newsletter.core.tokens import TEST_COPY, Links
from newsletter.ports import Clock, Issues, Leaver, Leaving, Leavings, Subscribers
from newsletter.ports.pages import PageRenderer
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.forms import Form, read_body
from newsletter.web.pages.languages import asked
from newsletter.web.pages.readers import NOBODY, masthead_for, page_path, today_of
from newsletter.web.static import root_of

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
        renderer: renders the pages `unsubscribe`, `unsubscribed`, `stay`, `less`, `link_over`, `test_copy` and
            `gone`.
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
        return await self._state(request, key, subscriber)

    async def _state(self, request: Request, key: int, subscriber: Subscriber) -> Response:
        """Show the button, or that the reader has left."""
        if subscriber.status is SubscriberStatus.UNSUBSCRIBED:
            return await self._left(request, subscriber, await self.leavings.last(key), is_news=False)
        is_active = subscriber.status is SubscriberStatus.ACTIVE
        masthead = await masthead_for(self.issues, subscriber)
        values = {"has_weekly": is_active and _may_be_weekly(masthead, subscriber), "has_pause": is_active}
        return self._page(request, "unsubscribe", masthead, subscriber, **values)

    async def leave(self, request: Request) -> Response:
        """Take the reader off the list, after one click in a mail program (RFC 8058) or the page's button."""
        body = await read_body(request, _MAX_BODY_BYTES)
        key = self._key(request)
        # The token alone decides. The body only distinguishes a mail provider from a browser, and what our pages
        # offer instead; so no mistake in its encoding or wording keeps anybody on the list.
        if b"List-Unsubscribe" in body and b"One-Click" in body:
            return await self._leave_by_one_click(request, key)
        if key == TEST_COPY:
            return self._of_nobody(request)
        form = Form.read(body)
        if form.one("instead") in {*Instead}:
            return await self._choose(request, key, Instead(form.one("instead")))
        if form.has("why"):
            return await self._say_why(request, key, why(form.one("why"), form.one("words")))
        left = await self._leave(key, one_click=False)
        if left is None:
            return self._gone(request, key)
        leaving = await self.leavings.last(key)
        return await self._left(request, left.subscriber, leaving, is_news=left.is_news)

    async def _leave_by_one_click(self, request: Request, key: int) -> Response:
        """Answer a mail provider: no page, no redirect."""
        if key == TEST_COPY:
            return PlainTextResponse("This is a test copy. Nothing was changed.\n")
        left = await self._leave(key, one_click=True)
        if left is not None:
            return PlainTextResponse("Unsubscribed.\n" if left.is_news else "Already unsubscribed.\n")
        if key == NOBODY:
            return self._gone(request, key)
        return PlainTextResponse("This subscription no longer exists.\n", 410)

    async def _leave(self, key: int, *, one_click: bool) -> Leaver | None:
        left = await self.subscribers.leave(key, reason=LEFT, now=self.clock())
        if left is not None:
            log.info("unsubscribed", list=left.subscriber.list, one_click=one_click, news=left.is_news)
        return left

    async def ask_back(self, request: Request) -> Response:
        """Show the button that brings a reader back who has just left."""
        leaving = await self.leavings.find(self._leaving(request))
        if leaving is None:
            return self._over(request)
        masthead = await masthead_for(self.issues, leaving.reader)
        return self._page(request, "stay", masthead, leaving.reader, is_done=False)

    async def bring_back(self, request: Request) -> Response:
        """Bring a reader back who has just left, to an issue a week if they wish; the link works once."""
        form = Form.read(await read_body(request, _MAX_BODY_BYTES))
        key = self._leaving(request)
        leaving = await self.leavings.find(key)
        back = await self.leavings.undo(key, now=self.clock())
        if leaving is None or back is None:
            return self._over(request)
        log.info("stayed", list=back.list)
        if form.one("instead") == Instead.WEEKLY:
            return await self._choose(request, leaving.subscriber_key, Instead.WEEKLY)
        return self._page(request, "stay", await masthead_for(self.issues, back), back, is_done=True)

    def _over(self, request: Request) -> Response:
        """Answer a link that is used or too old. Who pressed the button twice reads there that it is done."""
        page = self.renderer.page("link_over", {**asked(request), "home_url": root_of(request)})
        return HTMLResponse(page, 404)

    async def _choose(self, request: Request, key: int, instead: Instead) -> Response:
        """Keep what a reader chose instead of leaving; who is not on the list has nothing to choose."""
        before = await self.subscribers.by_key(key)
        if before is None:
            return self._gone(request, key)
        until = end_of_pause(today_of(before, self.clock()))
        after = await self.subscribers.change_wishes(
            key, lambda wishes: less(wishes, instead, until), now=self.clock()
        )
        if after is None:
            return await self._state(request, key, before)
        log.info("less_mail", list=after.list, instead=instead.value)
        masthead = await masthead_for(self.issues, after)
        return self._page(request, "less", masthead, after, instead=instead, until=until, is_done=True)

    async def _say_why(self, request: Request, key: int, words: str) -> Response:
        """Keep why a reader left."""
        leaving, subscriber = await self.leavings.last(key), await self.subscribers.by_key(key)
        if subscriber is None:
            return self._gone(request, key)
        if leaving is None:
            return await self._state(request, key, subscriber)
        is_thanked = bool(words) and await self.leavings.say_why(leaving.key, words)
        return await self._left(request, subscriber, leaving, is_news=True, is_thanked=is_thanked)

    def _key(self, request: Request) -> int:
        """Return the number of the token's subscriber, or `NOBODY`, who is looked for like any other."""
        key = self.links.read_unsubscribe(request.path_params[SECRET_PARAMETER])
        return NOBODY if key is None else key

    def _leaving(self, request: Request) -> int:
        """Return the number of the token's leaving, or `NOBODY`."""
        return self.links.read_stay(request.path_params[SECRET_PARAMETER], now=self.clock()) or NOBODY

    async def _left(
        self,
        request: Request,
        subscriber: Subscriber,
        leaving: Leaving | None,
        *,
        is_news: bool,
        is_thanked: bool = False,
    ) -> Response:
        """Show that a reader has left, with what they may do about it."""
        masthead = await masthead_for(self.issues, subscriber)
        stay = ""
        if leaving is not None and may_undo(leaving.at, now=self.clock()):
            stay = page_path(request, self.links, self.links.stay(leaving.key, leaving.at + UNDO_FOR))
        values = {
            "is_news": is_news,
            "left_on": leaving.at.date() if leaving and not is_news else None,
            "stay_url": stay,
            "has_weekly": _may_be_weekly(masthead, subscriber),
            "asks_why": leaving is not None,
            "is_thanked": is_thanked,
        }
        return self._page(request, "unsubscribed", masthead, subscriber, **values)

    def _page(
        self, request: Request, name: str, masthead: Masthead, subscriber: Subscriber, **values: Any
    ) -> Response:
        shown = {"root": root_of(request), "masthead": masthead, "email": subscriber.email, **values}
        return HTMLResponse(self.renderer.page(name, shown))

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


def _may_be_weekly(masthead: Masthead, subscriber: Subscriber) -> bool:
    """Return whether a reader gets daily issues of a list that has weekly ones too."""
    return masthead.cadence is Cadence.DAILY and subscriber.cadence is not Cadence.WEEKLY
