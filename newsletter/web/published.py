"""Serves the public pages that depend on the site's data alone: from memory, with their tags, compressed.

They hold no reader's data and no secret. So anybody may keep them, and compressing them tells nothing (BREACH
needs a secret beside what a stranger writes).
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Collection, Sequence
from time import monotonic
from typing import NamedTuple
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.web.conditional import OF_PAGES, answer
from newsletter.web.finished import Finished, FinishedPages, tag_of
from newsletter.web.guard import ADDRESS
from newsletter.web.pages.languages import asked
from newsletter.web.pages.site_pages import MovedPage, PageGroup, SitePage, Wanted, root_from

_LONGEST_ADDRESS = 1000  # characters
_WORTH_COMPRESSING = 1024  # bytes
_COMPRESSED = ("text/", "application/json", "application/feed+json", "application/xml", "image/svg+xml")
_COMPRESSED_TOO = ("+xml", "+json")
_LEVEL = 6
_READING = ("GET", "HEAD")
_MOST_RECENT = 1000  # requests
_MOST_STALE = 5  # times as long as a page counts as unchanged


class _Asked(NamedTuple):
    """All of a request by which its page is found."""

    path: str
    query: bytes
    languages: str


class _Recent(NamedTuple):
    """Where a page is that was just asked for."""

    looked_at: float  # of `monotonic`
    address: str
    version: str


class Published:
    """The public pages, as an ASGI app: the last of the site's routes.

    A page that is asked for again and again is not looked up each time. For `fresh_for` seconds it counts as
    unchanged. For some seconds after that it is looked up once, and who asks meanwhile gets it as it was
    (RFC 5861): so nobody waits while the ledger is busy.
    """

    def __init__(self, groups: Sequence[PageGroup], finished: FinishedPages, *, fresh_for: float) -> None:
        """Begin.

        Args:
            groups: the pages, in the order in which they are asked for an address.
            finished: keeps pages.
            fresh_for: in seconds; 0: each request is looked up.
        """
        self._groups = groups
        self._finished = finished
        self._fresh_for = fresh_for
        self._recent: dict[_Asked, _Recent] = {}
        self._looking: dict[_Asked, asyncio.Task[Finished | MovedPage | None]] = {}
        self.route = Route(f"/{{{ADDRESS}:path}}", self)  # any path, any method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a page, or that nothing can be done with it but read it."""
        request = Request(scope, receive, send)
        others = () if request.method in _READING else _methods_beside(scope)
        found = None if others else await self._answer(request)
        if found is None:
            if others := others or _methods_beside(scope):
                raise HTTPException(405, headers={"Allow": ", ".join(sorted(others))})
            raise HTTPException(404)
        if request.method not in _READING:
            raise HTTPException(405, headers={"Allow": ", ".join(_READING)})
        await found(scope, receive, send)

    def recent(self, scope: Scope) -> Response | None:
        """Return the answer to a request for a page that somebody has just asked for; None: nobody has."""
        if scope["method"] not in _READING:
            return None
        headers = Headers(scope=scope)
        asked_for = _asked(scope, headers)
        known = self._recent.get(asked_for)
        age = monotonic() - known.looked_at if known else 0.0
        if known is None or age >= self._fresh_for * _MOST_STALE:
            return None
        page = self._finished.kept(known.address, known.version)
        if page is not None and age >= self._fresh_for and asked_for not in self._looking:
            self._look(asked_for, known.address, _wanted(Request(scope)))
        return answer(headers, page) if page else None

    async def _answer(self, request: Request) -> Response | None:
        """Return a page, that it is unchanged, or where it is now; None: there is none."""
        address = request.path_params[ADDRESS]
        if len(address) > _LONGEST_ADDRESS:
            return None
        wanted = _wanted(request)
        found = await self._found(_asked(request.scope, request.headers), address, wanted)
        if isinstance(found, MovedPage):
            return _moved(request, root_from(address) + found.address)
        if found is not None:
            return answer(request.headers, found)
        if not address.endswith("/") and await self._find(f"{address}/", wanted):
            return _moved(request, f"./{address.rpartition('/')[2]}/")
        return None

    async def _found(self, asked_for: _Asked, address: str, wanted: Wanted) -> Finished | MovedPage | None:
        """Look a page up; where its last look counts for a while, all who ask meanwhile wait for one."""
        if not self._fresh_for:
            found = await self._find(address, wanted)
            return found[0] if found else None
        looking = self._looking.get(asked_for) or self._look(asked_for, address, wanted)
        return await asyncio.shield(looking)  # a client that disconnects must not cancel it for the others

    def _look(self, asked_for: _Asked, address: str, wanted: Wanted) -> asyncio.Task[Finished | MovedPage | None]:
        """Begin to look a page up, and note where it is."""

        async def look() -> Finished | MovedPage | None:
            found = await self._find(address, wanted)
            self._recent.pop(asked_for, None)
            if found is None:
                return None
            page, version = found
            if isinstance(page, Finished) and page.is_kept:
                if len(self._recent) >= _MOST_RECENT:
                    self._recent.clear()
                self._recent[asked_for] = _Recent(monotonic(), address, version)
            return page

        def looked(task: asyncio.Task[Finished | MovedPage | None]) -> None:
            del self._looking[asked_for]
            if not task.cancelled():
                task.exception()  # whoever waits raises it; the next one tries again

        task = self._looking[asked_for] = asyncio.create_task(look())
        task.add_done_callback(looked)
        return task

    async def _find(self, address: str, wanted: Wanted) -> tuple[Finished | MovedPage, str] | None:
        """Return a page, or where it is now, and its version; None: there is none."""
        for group in self._groups:
            version = await group.version(address, wanted)
            if version is not None and (found := await self._page(group, address, version, wanted)):
                return found, version
        return None

    async def _page(
        self, group: PageGroup, address: str, version: str, wanted: Wanted
    ) -> Finished | MovedPage | None:
        async def make() -> Finished | MovedPage | None:
            page = await group.page(address, wanted)
            return await asyncio.to_thread(_finish, page) if isinstance(page, SitePage) else page

        return await self._finished.page(address, version, make)


class RecentPages:
    """ASGI middleware: answers what somebody has just asked for, before any route is looked for."""

    def __init__(self, app: ASGIApp, *, published: Published) -> None:
        """Begin with the pages."""
        self._app = app
        self._published = published

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        found = self._published.recent(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = self._published.route, {ADDRESS: scope["path"].removeprefix("/")}
        await found(scope, receive, send)


def _wanted(request: Request) -> Wanted:
    return Wanted(language=asked(request)["language"], query=dict(request.query_params))


def _asked(scope: Scope, headers: Headers) -> _Asked:
    return _Asked(scope["path"], scope["query_string"], headers.get("Accept-Language", ""))


def _methods_beside(scope: Scope) -> Collection[str]:
    """Return the methods of the site's routes that have the path of a request, but not its method."""
    routes = (route for route in scope["app"].routes if isinstance(route, Route))
    partial = (route for route in routes if route.matches(scope)[0] is Match.PARTIAL)
    return {method for route in partial for method in route.methods or ()}


def _finish(page: SitePage) -> Finished:
    kind = page.media_type.partition(";")[0]
    is_text = kind.startswith(_COMPRESSED) or kind.endswith(_COMPRESSED_TOO)
    compressed = b""
    if is_text and len(page.content) >= _WORTH_COMPRESSING:
        compressed = gzip.compress(page.content, _LEVEL, mtime=0)
    return Finished(
        content=page.content,
        compressed=compressed,
        media_type=page.media_type,
        tag=tag_of(page.content),
        changed_at=page.changed_at,
        is_kept=page.is_kept,
    )


def _moved(request: Request, path: str) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(quote(path) + query, 301, {**OF_PAGES})
