"""The daily feeds of arXiv: `arxiv:cs.CL+cs.LG`.

https://info.arxiv.org/help/rss.html. The terms of use allow one request every three seconds, over one connection:
https://info.arxiv.org/help/api/tou.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import structlog

from newsletter.core.errors import SourceError
from newsletter.core.identity import arxiv_id
from newsletter.core.listing import Listing, Page
from newsletter.sources.pacing import Pace
from newsletter.sources.parts import Parts, endpoint
from newsletter.sources.records import (
    ABSTRACT,
    AUTHORS,
    BadRecordError,
    Record,
    Seen,
    each,
    page,
    text,
    texts,
)
from newsletter.sources.syndication import parse_feed, published_on, without_announcement

if TYPE_CHECKING:
    from datetime import date, datetime

_log = structlog.get_logger(__name__)
PACE = Pace("arxiv", 3.0)
_CATEGORIES = re.compile(
    r"(?P<categories>[a-z-]+(?:\.[A-Za-z-]+)?(?:\+[a-z-]+(?:\.[A-Za-z-]+)?)*)(?:\?(?P<choice>\w+))?"
)
_WANTED = {
    None: {"new", "cross"},
    "new": {"new"},
    "replacements": {"new", "cross", "replace", "replace-cross"},
}
_NAME_MARK = re.compile(r"([(),])")
_CODE = re.compile(r"https?://(?:www\.)?(?:github|gitlab)\.com/[\w.-]+/[\w.-]+")


class ArxivFeed:
    """What arXiv announced on a day in some categories: new papers and cross-lists.

    `arxiv:cs.CL?new` leaves out cross-lists, `arxiv:cs.CL?replacements` adds new versions. The feed shows the
    current day alone, and nothing on Saturday and Sunday.
    """

    dated = False

    def __init__(self, parts: Parts) -> None:
        match = _CATEGORIES.fullmatch(parts.rest)
        if match is None or match["choice"] not in _WANTED:
            raise ValueError(
                "expected arxiv:CATEGORY+CATEGORY, such as arxiv:cs.CL+cs.LG, ?new or ?replacements behind"
            )
        self.name = parts.name
        self._wanted = _WANTED[match["choice"]]
        self._url = f"{endpoint(parts.config.arxiv_rss_url, '/rss')}/{match['categories']}"
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return what the feed shows now, as the page of `day`.

        Raises:
            SourceError: the feed cannot be read, or arXiv has no such category.
        """
        feed = await self._http.get(self._url, parse_feed, source=self.name, pace=PACE)
        title = Record(feed.meta).text("title")
        if title.startswith("Feed error"):
            raise SourceError(f"{self.name}: arXiv has no such feed: {title}")
        found = page(self.name, day, now, each(feed.entries, self._announced))
        if len(feed.entries) > len(found.entries):
            _log.info("announcements_left_out", source=self.name, count=len(feed.entries) - len(found.entries))
        return found

    def _announced(self, entry: Record) -> Seen | None:
        kind = entry.text("arxiv_announce_type") or "new"
        if kind not in self._wanted:
            return None
        creators = author_names(entry.text("author", limit=100 * AUTHORS))
        return seen(entry, creators, published=kind == "new")


def seen(entry: Record, authors: tuple[str, ...], *, published: bool) -> Seen:
    """Return what an entry of a daily feed or of the search API says.

    Args:
        entry: the entry, under feedparser's names.
        authors: its authors, which each of the two writes in its own way.
        published: whether the entry's date is that of the paper, and not of a version or cross-list.

    Raises:
        BadRecordError: it names no paper.
    """
    title = entry.title("title")
    identifier = arxiv_id(entry.text("id")) or arxiv_id(entry.text("link"))
    if not identifier:
        raise BadRecordError(f"no arXiv id: {title[:80]!r}")
    abstract = entry.raw("summary")
    abstract = text(without_announcement(abstract), ABSTRACT) if isinstance(abstract, str) else ""
    primary = entry.record("arxiv_primary_category").text("term")
    terms = (primary, *(tag.text("term") for tag in entry.records("tags")))
    code = _CODE.search(f"{entry.text('arxiv_comment', limit=ABSTRACT)} {abstract}")
    return Seen(
        listing=Listing(
            title=title,
            abstract=abstract,
            authors=authors,
            published_on=published_on(entry) if published else None,
            categories=tuple(dict.fromkeys(filter(None, terms))),
            arxiv_id=identifier,
            doi=entry.text("arxiv_doi"),
            url=f"https://arxiv.org/abs/{identifier}",
            pdf_url=f"https://arxiv.org/pdf/{identifier}",
            code_url=code[0].rstrip(".") if code else "",
        )
    )


def author_names(creators: str) -> tuple[str, ...]:
    """Return the names in a comma-joined text, in which affiliations in parentheses hold commas too."""
    if creators.count("(") != creators.count(")"):
        creators = creators.replace("(", "").replace(")", "")
    names: list[str] = []
    pieces: list[str] = []  # of the name at hand
    depth = 0
    for piece in _NAME_MARK.split(creators):
        if piece in {"(", ")"}:
            depth = max(0, depth + (1 if piece == "(" else -1))
        elif depth:
            continue
        elif piece == ",":
            names.append("".join(pieces))
            pieces.clear()
        else:
            pieces.append(piece)
    return texts([*names, "".join(pieces)], AUTHORS)
