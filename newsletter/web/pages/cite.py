"""How to cite a paper of an issue: a page with BibTeX and RIS, and both as files.

The listing is the one that the issue holds, so its entry never changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.core.days import read_day
from newsletter.core.page_names import CITE
from newsletter.core.tokens import Links
from newsletter.ports import Issues
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue.citation import Citation, citation
from newsletter.render.issue.tongue import language_beside
from newsletter.render.issue.view import title_link
from newsletter.web import headers
from newsletter.web.static import root_of

_FILE = re.compile(r"([1-9]\d{0,17})(\.bib|\.ris)?", re.ASCII)
_HEADERS = {**headers.PUBLIC, "X-Robots-Tag": "noindex"}  # the same paper has such a page in each issue


def routes(issues: Issues, links: Links, renderer: PageRenderer) -> list[Route]:
    """Return the route: the page, and with `.bib` or `.ris` behind it the files.

    Args:
        issues: the closed issues, which hold the papers.
        links: makes the address of an issue's page.
        renderer: renders the page `cite`.
    """
    return [Route(f"/{CITE}/{{list}}/{{day}}/{{file}}", _CitePages(issues, links, renderer).cite)]


@dataclass(frozen=True, slots=True)
class _CitePages:
    issues: Issues
    links: Links
    renderer: PageRenderer

    async def cite(self, request: Request) -> Response:
        """Show how to cite a paper, or give the file."""
        list_name, day, named = request.path_params["list"], _day(request), _file_name(request)
        outline = await self.issues.outline(list_name, day)
        paper = await self.issues.listing([list_name], int(named[1]), day=day)
        if outline is None or paper is None:
            raise HTTPException(404)
        cited = citation(paper.listing)
        if named[2]:
            return _file(cited, named[2])
        values = {
            "root": root_of(request),
            "masthead": outline.masthead,
            "citation": cited,
            "paper_url": title_link(paper.listing, outline.landing)[0],
            "lang": language_beside(paper.listing, outline.masthead.language),
            "issue_url": self.links.issue(list_name, day),
            "day": day,
            "bibtex_url": f"{named[1]}.bib",
            "ris_url": f"{named[1]}.ris",
        }
        return HTMLResponse(self.renderer.page("cite", values), headers=_HEADERS)


def _day(request: Request) -> date:
    try:
        return read_day(request.path_params["day"])
    except ValueError:
        raise HTTPException(404) from None


def _file_name(request: Request) -> re.Match[str]:
    """Return the name's parts: the listing's key, and the ending or None."""
    named = _FILE.fullmatch(request.path_params["file"])
    if named is None:
        raise HTTPException(404)
    return named


def _file(cited: Citation, ending: str) -> Response:
    content, kind = (cited.bibtex, "x-bibtex") if ending == ".bib" else (cited.ris, "x-research-info-systems")
    named = {"Content-Disposition": f'attachment; filename="{cited.key}{ending}"'}
    return Response(content, media_type=f"application/{kind}; charset=utf-8", headers=_HEADERS | named)
