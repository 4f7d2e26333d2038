"""Serves the public pages that depend on the site's data alone: from memory, with their tags, compressed.

They hold no reader's data and no secret. So anybody may keep them, and compressing them tells nothing (BREACH
needs a secret beside what a stranger writes).
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from newsletter.web import headers
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
# A browser asks again after a minute, and is answered 304 where nothing has changed.
_HEADERS = {
    **headers.OPEN,
    "Cache-Control": "public, max-age=60",
    "Vary": "Accept-Encoding, Accept-Language",
}


def routes(groups: Sequence[PageGroup], finished: FinishedPages) -> list[Route]:
    """Return the route of all these pages. It matches any path and any method, so it stands last.

    Args:
        groups: the pages, in the order in which they are asked for an address.
        finished: keeps pages.
    """
    return [Route(f"/{{{ADDRESS}:path}}", _Published(groups, finished))]


@dataclass(frozen=True, slots=True)
class _Published:
    groups: Sequence[PageGroup]
    finished: FinishedPages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a page, or that nothing can be done with it but read it."""
        request = Request(scope, receive, send)
        others = {method for route in scope["app"].routes for method in _methods(route, scope)}
        if others:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(others))})
        answer = await self._answer(request)
        if request.method not in _READING:
            raise HTTPException(405, headers={"Allow": ", ".join(_READING)})
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        """Return a page, that it is unchanged, or where it is now.

        Raises:
            HTTPException: 404: there is no such page.
        """
        address = request.path_params[ADDRESS]
        if len(address) > _LONGEST_ADDRESS:
            raise HTTPException(404)
        wanted = Wanted(language=asked(request)["language"], query=dict(request.query_params))
        for group in self.groups:
            version = await group.version(address, wanted)
            if version is None:
                continue
            found = await self._page(group, address, version, wanted)
            if isinstance(found, MovedPage):
                return _moved(request, root_from(address) + found.address)
            if found is not None:
                return _answer(request, found)
        if not address.endswith("/") and await self._is_page(f"{address}/", wanted):
            return _moved(request, f"./{address.rpartition('/')[2]}/")
        raise HTTPException(404)

    async def _page(
        self, group: PageGroup, address: str, version: str, wanted: Wanted
    ) -> Finished | MovedPage | None:
        async def make() -> Finished | MovedPage | None:
            page = await group.page(address, wanted)
            return await asyncio.to_thread(_finish, page) if isinstance(page, SitePage) else page

        return await self.finished.page(address, version, make)

    async def _is_page(self, address: str, wanted: Wanted) -> bool:
        for group in self.groups:
            version = await group.version(address, wanted)
            if version is not None and await self._page(group, address, version, wanted):
                return True
        return False


def _methods(route: BaseRoute, scope: Scope) -> Collection[str]:
    """Return the methods of a route that has the path, but not the method; of one that takes all, none."""
    is_partial = isinstance(route, Route) and route.matches(scope)[0] is Match.PARTIAL
    return route.methods or () if is_partial and isinstance(route, Route) else ()


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


def _answer(request: Request, page: Finished) -> Response:
    said = {**_HEADERS, "ETag": f'W/"{page.tag}"'}  # weak: the compressed bytes are others
    if page.changed_at:
        said["Last-Modified"] = format_datetime(page.changed_at, usegmt=True)
    if is_known(request, page.tag, page.changed_at):
        return Response(None, 304, said)
    said["Content-Type"] = page.media_type
    if page.compressed and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        return Response(page.compressed, headers={**said, "Content-Encoding": "gzip"})
    return Response(page.content, headers=said)


def _moved(request: Request, path: str) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(quote(path) + query, 301, {**_HEADERS})


def is_known(request: Request, tag: str, changed_at: datetime | None) -> bool:
    """Return whether the client has the page already (RFC 9110, 13.2.2): its tags count before its date."""
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        known = {one.strip().removeprefix("W/") for one in tags.split(",")}
        return f'"{tag}"' in known or "*" in known
    since = request.headers.get("If-Modified-Since")
    if since is None or changed_at is None:
        return False
    try:
        return changed_at.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):  # no date, or one without a zone
        return False


def accepts_gzip(accepted: str) -> bool:
    """Return whether an `Accept-Encoding` takes gzip (RFC 9110, 12.5.3)."""
    for one in accepted.lower().split(","):
        coding, _, weight = one.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
