"""How the server answers with pages of the site: each with an ETag, and at one address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from types import MappingProxyType
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from newsletter.web import headers
from newsletter.web.pages.languages import asked
from newsletter.web.pages.site_pages import MovedPage, PageGroup, SitePage, Wanted, root_from, version_of

_HOME = ""


def answering(group: PageGroup) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers requests for the pages of a group, by the whole path that is asked for.

    An address without a slash at its end, as former versions had them, leads to the one with it.
    """

    async def answer(request: Request) -> Response:
        address = str(request.scope["path"]).removeprefix("/")
        wanted = wanted_by(request, group)
        if address != _HOME and not address.endswith("/"):
            return await _to_slash(group, address, wanted)
        version = await group.version(address, wanted)
        if version is None:
            raise HTTPException(404)
        about = _headers(address, wanted, version)
        if _has(request, about["ETag"]):
            return Response(None, 304, about)
        return _answer(await group.page(address, wanted), address, about)

    return answer


def wanted_by(request: Request, group: PageGroup) -> Wanted:
    """Return what a request wants of a page beside its address: nothing that the group does not heed."""
    query = {
        name: request.query_params[name]
        for name, values in group.heeds.items()
        if request.query_params.get(name) in values
    }
    return Wanted(language=asked(request)["language"], query=MappingProxyType(query))


async def _to_slash(group: PageGroup, address: str, wanted: Wanted) -> Response:
    if await group.version(f"{address}/", wanted) is None:
        raise HTTPException(404)
    last = address.rpartition("/")[2]
    return RedirectResponse(f"./{quote(last)}/", 301, {"Cache-Control": headers.PUBLIC["Cache-Control"]})


def _headers(address: str, wanted: Wanted, version: str) -> dict[str, str]:
    tag = version_of(
        address, wanted.language if address == _HOME else "", repr(sorted(wanted.query.items())), version
    )
    about = {**headers.PUBLIC, "ETag": f'"{tag}"'}
    return about | {"Vary": "Accept-Language"} if address == _HOME else about


def _answer(page: SitePage | MovedPage | None, address: str, about: dict[str, str]) -> Response:
    if page is None:
        raise HTTPException(404)
    if isinstance(page, MovedPage):
        return RedirectResponse(root_from(address) + quote(page.address), 301)
    if page.changed_at is not None:
        about = {**about, "Last-Modified": format_datetime(page.changed_at, usegmt=True)}
    return Response(page.content, headers=about, media_type=page.media_type)


def _has(request: Request, tag: str) -> bool:
    """Return whether the client already has the page with this ETag (If-None-Match; RFC 9110, 13.1.2)."""
    tags = [item.strip().removeprefix("W/") for item in request.headers.get("If-None-Match", "").split(",")]
    return tag in tags or "*" in tags
