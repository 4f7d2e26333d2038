"""The pages of papers, with the files by which they are cited.

p/2606.13677/            a paper; one that is known by another identity now leads to its page
p/2606.13677/cite.bib    its entry in BibTeX, and cite.ris the one in RIS
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from typing_extensions import override

from newsletter.core.full_text import like
from newsletter.core.newsletter_list import editions_of
from newsletter.core.page_names import PAPER, identity_path, paper_path, read_paper_path
from newsletter.core.tokens import Links
from newsletter.ports import ListedPaper, ListedPapers, Paper, Papers
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue.catalogues import SOURCE
from newsletter.render.issue.citation import citation
from newsletter.render.issue.language import language
from newsletter.render.site.paper_page import machine_of, paper_page_view
from newsletter.web.pages.lists.known import KnownList, KnownLists
from newsletter.web.pages.papers.of_list import list_of
from newsletter.web.pages.site_pages import MovedPage, PageGroup, SitePage, Wanted, root_from, version_of

BIBTEX, RIS = "cite.bib", "cite.ris"
_KINDS = {
    BIBTEX: "application/x-bibtex; charset=utf-8",
    RIS: "application/x-research-info-systems; charset=utf-8",
}
_WORDS = 8  # of a title, by which papers like it are looked for
_NEAR = 24  # papers among which those that are like one are found


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPages(PageGroup):
    """The pages of all papers.

    Attributes:
        lists: finds the list that a page belongs to.
        papers: reads single papers.
        listed: reads their newest counts.
        renderer: renders pages.
        links: makes public addresses.
    """

    lists: KnownLists
    papers: Papers
    listed: ListedPapers
    renderer: PageRenderer
    links: Links

    @override
    async def addresses(self) -> AsyncIterator[str]:
        async for one in self.papers.addresses():
            address = identity_path(one.identity)
            for file in ("", BIBTEX, RIS):
                yield address + file

    @override
    async def version(self, address: str, wanted: Wanted) -> str | None:
        if not _is_possible(address):
            return None
        lists = await self.lists.all()
        editions = [name for one in lists for name in editions_of(one.name)]
        shared = self.renderer.fingerprint(), self.links.public_url, str(wanted.is_static)
        return version_of(*shared, await self.listed.version(editions), *map(repr, lists))

    @override
    async def page(self, address: str, wanted: Wanted) -> SitePage | MovedPage | None:
        path, file = _parts(address)
        identity = read_paper_path(path.removeprefix(f"{PAPER}/"))
        paper = await self.papers.find(identity) if identity else None
        if paper is None:
            return None
        own = paper_path(paper.listing)
        if own != path:
            return MovedPage(address=own + file)
        if file:
            cited = await asyncio.to_thread(citation, paper.listing)
            content = cited.bibtex if file == BIBTEX else cited.ris
            return SitePage(content=content.encode(), media_type=_KINDS[file], changed_at=paper.updated_at)
        return await self._page(paper, address, wanted)

    async def _page(self, paper: Paper, address: str, wanted: Wanted) -> SitePage | None:
        near = await self.papers.near(paper.key, like(paper.listing, most=_WORDS), limit=_NEAR)
        known = await self.listed.by_keys([paper.key, *near])
        listed = known.get(paper.key)
        if listed is None:  # it was merged into another one meanwhile
            return None
        list_ = list_of(await self.lists.all(), paper.issues, listed)
        others = [known[key] for key in near if key in known and key != paper.key]

        def render() -> bytes:
            values = self._values(paper, listed, others, list_)
            return self.renderer.page("paper", values | self._shared(address, list_, wanted)).encode()

        # In a thread: it takes some milliseconds, and delivery and other pages go on meanwhile.
        return SitePage(content=await asyncio.to_thread(render), changed_at=paper.updated_at)

    def _shared(self, address: str, list_: KnownList | None, wanted: Wanted) -> dict[str, Any]:
        """Return what the frame of the site takes."""
        public = self.links.public_url
        return {
            "masthead": list_.masthead if list_ else None,
            "topics": list_.topics if list_ else (),
            "root": root_from(address),
            "here": "",
            "canonical": f"{public}/{address}" if public else "",
            "public_url": public,
            "is_static": wanted.is_static,
            "searched": "",
        }

    def _values(
        self, paper: Paper, listed: ListedPaper, near: list[ListedPaper], list_: KnownList | None
    ) -> dict[str, Any]:
        """Return what the page shows of a paper."""
        frame = language(list_.masthead.language if list_ else SOURCE)
        zone = list_.timezone if list_ else ZoneInfo("UTC")
        machine = machine_of(frame, paper, list_.name if list_ else "")
        view = replace(paper_page_view(frame, paper, listed, near, zone), machine=machine)
        has_day = list_ is not None and not set(listed.sources).isdisjoint(list_.sources)
        return {
            "paper": view,
            "description": view.description,
            "listed_on": listed.first_listed_on,
            "day_path": f"{list_.name}/{listed.first_listed_on.isoformat()}/" if list_ and has_day else "",
            "zone": zone.key,
        }


def _parts(address: str) -> tuple[str, str]:
    """Return the address of a paper's page, and the name of the file beside it that is asked for, or nothing."""
    path, _, file = address.rpartition("/")
    return f"{path}/", file


def _is_possible(address: str) -> bool:
    """Return whether an address may be that of a page or a file of a paper."""
    path, file = _parts(address)
    is_known = address.startswith(f"{PAPER}/") and file in {"", *_KINDS}
    return is_known and read_paper_path(path.removeprefix(f"{PAPER}/")) is not None
