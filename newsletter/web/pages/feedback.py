"""More like this, less like this: what readers say of papers by the links in their mails.

A link is signed for its reader, so it needs no account and no cookie. And no other site can send a reader's POST:
the address that takes it is known to nobody who does not have the mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.issue import IssueListing
from newsletter.core.newsletter_list import editions_of
from newsletter.core.page_names import FEEDBACK
from newsletter.core.paper_language import language_beside
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import LESS, MORE, TEST_COPY, UNDO, Links
from newsletter.ports import Clock, Feedback, Issues, Subscribers
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue.citation import readable_title
from newsletter.render.issue.language import language
from newsletter.render.issue.view import title_link
from newsletter.web.guard import SECRET_PARAMETER
from newsletter.web.pages.languages import asked
from newsletter.web.pages.readers import shown_to
from newsletter.web.static import root_of

log = structlog.get_logger(__name__)

_KEY = re.compile(r"[1-9]\d{0,17}", re.ASCII)


def routes(
    feedback: Feedback,
    subscribers: Subscribers,
    issues: Issues,
    links: Links,
    renderer: PageRenderer,
    clock: Clock,
) -> list[Route]:
    """Return the routes: GET asks, POST notes it.

    Args:
        feedback: keeps what readers say.
        subscribers: finds the reader of a token.
        issues: the closed issues, which hold the papers that readers may speak of.
        links: reads the signed tokens.
        renderer: renders the pages `feedback`, `test_copy` and `gone`.
        clock: the present moment, for the time at which a reader said something.
    """
    pages = _FeedbackPages(feedback, subscribers, issues, links, renderer, clock)
    path = f"/{FEEDBACK}/{{{SECRET_PARAMETER}}}/{{listing}}/{{wish}}"
    return [Route(path, pages.ask, methods=["GET"]), Route(path, pages.note, methods=["POST"])]


class _Said(NamedTuple):
    """What a link says: which reader, of which paper."""

    reader_key: int
    reader: Subscriber
    paper: IssueListing


@dataclass(frozen=True, slots=True)
class _FeedbackPages:
    feedback: Feedback
    subscribers: Subscribers
    issues: Issues
    links: Links
    renderer: PageRenderer
    clock: Clock

    async def ask(self, request: Request) -> Response:
        """Show the buttons. Mail scanners follow links, so this changes nothing."""
        wish = _wish(request)
        said = await self._said(request)
        if isinstance(said, Response):
            return said
        liked = await self.feedback.said(said.reader_key, said.paper.key)
        is_noted = liked is not None and wish == (MORE if liked else LESS)
        return await self._page(request, said, wish, is_done=is_noted)

    async def note(self, request: Request) -> Response:
        """Note what the reader says; to say it again changes nothing."""
        wish = _wish(request)
        said = await self._said(request)
        if isinstance(said, Response):
            return said
        if wish == UNDO:
            await self.feedback.take_back(said.reader_key, said.paper.key)
        else:
            liked = wish == MORE
            await self.feedback.say(said.reader_key, said.paper.key, liked=liked, now=self.clock())
        log.info("feedback", list=said.reader.list, wish=wish)
        return await self._page(request, said, wish, is_done=True)

    async def _said(self, request: Request) -> _Said | Response:
        """Return what a link says, or the page of a link that speaks for nobody.

        Raises:
            HTTPException: 404: we did not sign the token, or no issue of the reader's list has such a paper.
        """
        key = self.links.read_feedback(request.path_params[SECRET_PARAMETER])
        if key is None:
            raise HTTPException(404)
        if key == TEST_COPY:
            return HTMLResponse(self.renderer.page("test_copy", asked(request)))
        reader = await self.subscribers.by_key(key)
        if reader is None:
            return HTMLResponse(self.renderer.page("gone", asked(request)), 410)
        listing = request.path_params["listing"]
        paper = (
            await self.issues.listing(editions_of(reader.list), int(listing)) if _KEY.fullmatch(listing) else None
        )
        if paper is None:
            raise HTTPException(404)
        return _Said(key, reader, paper)

    async def _page(self, request: Request, said: _Said, wish: str, *, is_done: bool) -> Response:
        shown = await shown_to(self.issues, said.reader)
        tag = shown.masthead.language
        values = {
            "root": root_of(request),
            "masthead": shown.masthead,
            "title": readable_title(said.paper.listing),
            "paper_url": title_link(said.paper.listing, shown.landing)[0],
            "lang": language_beside(said.paper.listing, tag, language(tag).code),
            "wish": wish,
            "is_done": is_done,
        }
        return HTMLResponse(self.renderer.page("feedback", values))


def _wish(request: Request) -> str:
    wish = str(request.path_params["wish"])
    if wish not in {MORE, LESS, UNDO}:
        raise HTTPException(404)
    return wish
