"""The search over all papers, or among those of a list: `-/search/?q=…&list=daily&page=2`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from typing_extensions import override

from newsletter.core.errors import SearchError
from newsletter.core.full_text import Piece, Query, marked, passage, read_query
from newsletter.core.page_names import SEARCH
from newsletter.core.tokens import Links
from newsletter.ports import Found, ListedPaper, ListedPapers, Papers
from newsletter.ports.pages import PageRenderer
from newsletter.render.issue.language import language
from newsletter.render.site.papers import PaperView, ShownPaper, paper_view
from newsletter.web.pages.lists.known import KnownList, KnownLists
from newsletter.web.pages.site_pages import PageGroup, SitePage, Wanted, root_from, version_of

_ADDRESS = f"{SEARCH}/"
_PER_PAGE = 20
_LAST_PAGE = 50
_PASSAGE = 280  # characters
_NUMBER = re.compile(r"[1-9]\d?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A paper that was found, with its title and a passage of its text in pieces."""

    paper: PaperView
    title: tuple[Piece, ...]
    passage: tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage(PageGroup):
    """The page of the search. A site of files has none.

    Attributes:
        lists: finds the list among whose papers to search.
        papers: searches.
        listed: reads the newest counts of what was found.
        renderer: renders the page.
        links: makes public addresses.
    """

    lists: KnownLists
    papers: Papers
    listed: ListedPapers
    renderer: PageRenderer
    links: Links

    @override
    async def addresses(self) -> AsyncIterator[str]:
        none: tuple[str, ...] = ()
        for address in none:
            yield address

    @override
    async def version(self, address: str, wanted: Wanted) -> str | None:
        if address != _ADDRESS or wanted.is_static:
            return None
        query, known = read_query(wanted.query.get("q", "")), await self._list(wanted)
        asked = query.text, str(query.is_cut), known.name if known else "", str(_page_number(wanted))
        lists = map(repr, await self.lists.all())
        return version_of(
            self.renderer.fingerprint(), await self.listed.version(), wanted.language, *asked, *lists
        )

    @override
    async def page(self, address: str, wanted: Wanted) -> SitePage | None:
        query, known, number = (
            read_query(wanted.query.get("q", "")),
            await self._list(wanted),
            _page_number(wanted),
        )
        found, problem = Found(), ""
        try:
            found = await self.papers.search(
                query,
                sources=known.sources if known else None,
                offset=(number - 1) * _PER_PAGE,
                limit=_PER_PAGE,
            )
        except SearchError as error:
            problem = str(error)
        lists = await self.lists.all()
        # Where there is one list only, its name and its pages stand above the search.
        above = known or (lists[0] if len(lists) == 1 else None)
        by_key = await self.listed.by_keys(found.keys)
        papers = [by_key[key] for key in found.keys if key in by_key]

        def render() -> bytes:
            values = {
                **self._shared(query, known, above, wanted),
                "hits": hits(query, papers, above.masthead.language if above else wanted.language),
                "total": found.total,
                "problem": problem,
                **_beside(query, known, number, found.total),
            }
            return self.renderer.page("search", values).encode()

        return SitePage(content=await asyncio.to_thread(render), is_kept=False)

    async def _list(self, wanted: Wanted) -> KnownList | None:
        name = wanted.query.get("list", "")
        return await self.lists.named(name) if name else None

    def _shared(
        self, query: Query, known: KnownList | None, above: KnownList | None, wanted: Wanted
    ) -> dict[str, Any]:
        return {
            "masthead": above.masthead if above else None,
            "topics": above.topics if above else (),
            "language": wanted.language,
            "root": root_from(_ADDRESS),
            "here": "search",
            "canonical": "",
            "description": "",
            "is_static": False,
            "searched": query.text,
            "is_cut": query.is_cut,
            "list_name": known.name if known else "",
        }


def hits(query: Query, papers: Sequence[ListedPaper], tag: str) -> list[Hit]:
    """Return what was found for the template, with what the query asks for marked.

    Args:
        query: what was asked for.
        papers: the best first.
        tag: the language of the page.
    """
    frame = language(tag)
    found = []
    for one in papers:
        view = paper_view(frame, ShownPaper(paper=one, day=one.first_listed_on))
        # The abstract says more, but a summary that has the word is easier to read.
        text = (
            view.text if any(piece.is_match for piece in marked(view.text, query)) else view.abstract or view.text
        )
        found.append(
            Hit(
                paper=view,
                title=marked(view.title, query),
                passage=marked(passage(text, query, _PASSAGE), query),
            )
        )
    return found


def _page_number(wanted: Wanted) -> int:
    asked = wanted.query.get("page", "")
    return min(int(asked), _LAST_PAGE) if _NUMBER.fullmatch(asked) else 1


def _beside(query: Query, known: KnownList | None, number: int, total: int) -> dict[str, Any]:
    """Return the queries of the pages before and after one, or nothing, and which papers stand on it."""
    last = min(-(-total // _PER_PAGE), _LAST_PAGE)

    def asked(page: int) -> str:
        terms = (
            {"q": query.text} | ({"list": known.name} if known else {}) | ({"page": str(page)} if page > 1 else {})
        )
        return f"?{urlencode(terms, errors='replace')}"

    return {
        "previous": asked(number - 1) if 1 < number <= last else "",
        "next": asked(number + 1) if number < last else "",
        "everywhere": f"?{urlencode({'q': query.text}, errors='replace')}" if known else "",
    }
