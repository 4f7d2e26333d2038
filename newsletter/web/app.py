"""The pages for readers: leaving a list, the web version of an issue, and a health check for the operator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.core.newsletter_list import Masthead
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.ports import Clock, Issues, Roster
from newsletter.web.guard import SECRET_PARAMETER, Guard

log = structlog.get_logger(__name__)

# Strict for every answer; the pages that may be kept and found say so themselves. Referrers would carry a
# reader's token to whoever is linked from its page.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' https: data:; style-src 'unsafe-inline'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_OPEN = {"Cache-Control": "public, max-age=3600", "X-Robots-Tag": "all"}

# A one-click body has 26 bytes; as multipart form data, which RFC 8058 also allows, a few hundred.
_MAX_BODY_BYTES = 8192
_SECONDS_FOR_HEALTH = 5


class Pages(Protocol):
    """Renders pages."""

    def page(self, name: str, context: dict[str, Any]) -> str:
        """Return the HTML of the page `name` filled with `context`."""
        ...


class Kept(NamedTuple):
    """A page that is kept: `tag` names these very bytes, `content` gives them when they are needed."""

    tag: str
    content: Callable[[], Awaitable[bytes]]


class Archive(Protocol):
    """Keeps the web versions of issues."""

    async def page(self, list_name: str, day: date) -> Kept | None:
        """Return the whole HTML page of an issue, without anything of a reader's, or None if there is none."""
        ...


def public_app(
    *,
    roster: Roster,
    issues: Issues,
    links: Links,
    pages: Pages,
    clock: Clock,
    archive: Archive,
    healthy: Callable[[], Awaitable[object]],
) -> Starlette:
    """Return the app that readers see. It sets no cookies, and no GET changes anything.

    Args:
        roster: where who leaves is looked up and suppressed.
        issues: tell how a list presents itself. What was mailed does, rather than the list's file: the way out
            must not depend on a file that may be wrong just now.
        links: reads the signed tokens.
        pages: renders `page`, `unsubscribe`, `unsubscribed`, `gone` and `not_found`.
        clock: tells when a reader left.
        archive: the web versions of issues.
        healthy: raises if the store cannot be used; called by `/healthz`.
    """
    site = _Site(roster, issues, links, pages, clock, archive, healthy)
    app = Starlette(
        routes=[
            Route("/", site.home),
            Route("/healthz", site.health),
            Route(f"/unsubscribe/{{{SECRET_PARAMETER}}}", site.ask, methods=["GET"]),
            Route(f"/unsubscribe/{{{SECRET_PARAMETER}}}", site.leave, methods=["POST"]),
            Route("/{list}", site.newest),
            Route("/{list}/{day}", site.issue),
        ],
        middleware=[Middleware(Guard, headers=_HEADERS)],
        exception_handlers={404: site.not_found},
    )
    app.router.redirect_slashes = False  # a redirect is a failure to one-click (RFC 8058, 3.1)
    return app


@dataclass(frozen=True, slots=True)
class _Site:
    roster: Roster
    issues: Issues
    links: Links
    pages: Pages
    clock: Clock
    archive: Archive
    healthy: Callable[[], Awaitable[object]]

    async def home(self, _: Request) -> Response:
        return HTMLResponse(self.pages.page("page", {}), headers=_OPEN)

    async def health(self, _: Request) -> Response:
        try:
            async with asyncio.timeout(_SECONDS_FOR_HEALTH):
                await self.healthy()
        except Exception:  # whatever it is, the answer is the same: not healthy
            log.exception("unhealthy")
            return JSONResponse({"status": "failing"}, 503)
        return JSONResponse({"status": "ok"})

    async def ask(self, request: Request) -> Response:
        """Show the button. Scanners of mail follow links, so this changes nothing."""
        subscriber = await self._reader(request)
        return await self._page("unsubscribe", subscriber) if subscriber else self._gone(410)

    async def leave(self, request: Request) -> Response:
        """Take the reader off the list; for one-click (RFC 8058) and the page's button alike."""
        body = await _body(request)
        # The token is the authority. The body only tells a mail provider from a browser, so neither its
        # encoding nor a provider's liberties with it can keep anybody on the list.
        one_click = b"List-Unsubscribe" in body and b"One-Click" in body
        subscriber = await self._reader(request)
        if subscriber is None:
            return (
                PlainTextResponse("This subscription no longer exists.\n", 410) if one_click else self._gone(410)
            )
        news = await self.roster.suppress(
            subscriber.email, list_name=subscriber.list, reason="unsubscribed", now=self.clock()
        )
        log.info("unsubscribed", list=subscriber.list, one_click=one_click, news=news)
        if one_click:
            return PlainTextResponse("Unsubscribed.\n" if news else "Already unsubscribed.\n")
        return await self._page("unsubscribed", subscriber)

    async def newest(self, request: Request) -> Response:
        """Lead to the newest issue: where the List-Archive of our mail (RFC 2369) points."""
        issue = await self.issues.outline(request.path_params["list"])
        if issue is None:
            raise HTTPException(404)
        return RedirectResponse(self.links.issue(issue.list, issue.day), 302)

    async def issue(self, request: Request) -> Response:
        day = _day(request.path_params["day"])
        page = await self.archive.page(request.path_params["list"], day) if day else None
        if page is None:
            raise HTTPException(404)
        headers = {**_OPEN, "ETag": f'"{page.tag}"'}
        if _has(request, page.tag):
            return Response(None, 304, headers)
        return HTMLResponse(await page.content(), headers=headers)

    async def not_found(self, request: Request, _: Exception) -> Response:
        if SECRET_PARAMETER in request.path_params:
            return self._gone(404)
        return HTMLResponse(self.pages.page("not_found", {}), 404)

    async def _reader(self, request: Request) -> Subscriber | None:
        """Return the token's subscriber, None if there is none any more; a token not signed by us is not found."""
        key = self.links.read_unsubscribe(request.path_params[SECRET_PARAMETER])
        if key is None:
            raise HTTPException(404)
        return await self.roster.by_key(key)

    async def _page(self, name: str, subscriber: Subscriber) -> Response:
        latest = await self.issues.outline(subscriber.list)
        masthead = latest.masthead if latest else Masthead(list=subscriber.list, title=subscriber.list, sender="")
        return HTMLResponse(self.pages.page(name, {"masthead": masthead, "email": subscriber.email}))

    def _gone(self, status: int) -> Response:
        return HTMLResponse(self.pages.page("gone", {}), status)


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise HTTPException(413)
    return body


def _has(request: Request, tag: str) -> bool:
    """Tell whether the visitor has the page of a tag already (If-None-Match; RFC 9110, 13.1.2)."""
    tags = [one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")]
    return f'"{tag}"' in tags or "*" in tags


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None  # one page, one address
