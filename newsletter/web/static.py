"""The files that pages load: `/-/static/<stem>-<hash>.<ending>`."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.core.page_names import STATIC
from newsletter.ports.page_files import PageFiles
from newsletter.web import headers

# A name holds the hash of the content (RFC 8246); a file that has changed since the page was made has another one.
_FOR_EVER = "public, max-age=31536000, immutable"
_A_MINUTE = "public, max-age=60"


def routes(files: PageFiles) -> list[Route]:
    """Return the route of the files."""

    async def file(request: Request) -> Response:
        return answer(files, request.path_params["name"])

    return [Route(f"/{STATIC}/{{name}}", file, methods=["GET"])]


def answer(files: PageFiles, name: str) -> Response:
    """Return the answer with the file of a name.

    Raises:
        HTTPException: there is none.
    """
    found = files.find(name)
    if found is None:
        raise HTTPException(404)
    lasts = _FOR_EVER if found.name == name else _A_MINUTE
    return Response(found.content, media_type=found.media_type, headers={**headers.OPEN, "Cache-Control": lasts})


def root_of(request: Request) -> str:
    """Return the way from the page of a request back to the site's root, such as `../../`."""
    path: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return "../" * (path.count(b"/") - 1) or "./"
