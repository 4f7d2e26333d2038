"""Where mails lead to how a paper is cited: on to the page of the paper, or to its files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from newsletter.core.days import read_day
from newsletter.core.page_names import CITE, paper_path
from newsletter.ports import Issues, ListedPapers
from newsletter.web import headers

_FILE = re.compile(r"([1-9]\d{0,17})(\.bib|\.ris)?", re.ASCII)
_TO_ROOT = "../../../../"


def routes(issues: Issues, listed: ListedPapers) -> list[Route]:
    """Return the route.

    Args:
        issues: the closed issues, which hold the papers.
        listed: what is known of papers now, by which their pages are named.
    """
    return [Route(f"/{CITE}/{{list}}/{{day}}/{{file}}", _CitePages(issues, listed).cite)]


@dataclass(frozen=True, slots=True)
class _CitePages:
    issues: Issues
    listed: ListedPapers

    async def cite(self, request: Request) -> Response:
        """Lead on to the page of a paper that an issue holds. Its address may change, so not for ever."""
        named = _FILE.fullmatch(request.path_params["file"])
        if named is None:
            raise HTTPException(404)
        paper = await self.issues.listing([request.path_params["list"]], int(named[1]), day=_day(request))
        known = await self.listed.by_keys([paper.key]) if paper else {}
        if not known:
            raise HTTPException(404)
        [now] = known.values()
        part = f"cite{named[2]}" if named[2] else "#cite"
        about = {"Cache-Control": headers.PUBLIC["Cache-Control"]}
        return RedirectResponse(f"{_TO_ROOT}{paper_path(now.listing)}{part}", 302, about)


def _day(request: Request) -> date:
    try:
        return read_day(request.path_params["day"])
    except ValueError:
        raise HTTPException(404) from None
