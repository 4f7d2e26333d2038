"""The daily feeds of arXiv: `arxiv:cs.CL+cs.LG`.

https://info.arxiv.org/help/rss.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

import structlog

from newsletter.core.arxiv_calendar import batch_due, submitted
from newsletter.core.errors import SourceError
from newsletter.core.listing import Page, Skipped
from newsletter.ports import CatchesUp, Source
from newsletter.sources.arxiv import PACE, author_names, seen
from newsletter.sources.arxiv_search import search, within
from newsletter.sources.parts import Parts, endpoint
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.feed_dates import moment
from newsletter.sources.reading.records import AUTHORS, Record, Seen, each, page
from newsletter.sources.reading.syndication import parse_feed

_log = structlog.get_logger(__name__)
_CATEGORIES = re.compile(
    r"(?P<categories>[a-z-]+(?:\.[A-Za-z-]+)?(?:\+[a-z-]+(?:\.[A-Za-z-]+)?)*)(?:\?(?P<choice>\w+))?"
)
_WANTED = {
    None: frozenset({"new", "cross"}),
    "new": frozenset({"new"}),
    "replacements": frozenset({"new", "cross", "replace", "replace-cross"}),
}


class ArxivFeed(Source, CatchesUp):
    """What arXiv announced on a day in some categories: new papers and cross-lists.

    `arxiv:cs.CL?new` leaves out cross-lists, `arxiv:cs.CL?replacements` adds new versions. The feed shows the
    current day only, and nothing on Saturday and Sunday. Missed days are read from the search API.
    """

    dated = False

    def __init__(self, parts: Parts) -> None:
        match = _CATEGORIES.fullmatch(parts.rest)
        if match is None or match["choice"] not in _WANTED:
            raise ValueError(
                "expected arxiv:CATEGORY+CATEGORY, such as arxiv:cs.CL+cs.LG; ?new or ?replacements may follow"
            )
        self.name = parts.name
        self._categories = match["categories"].split("+")
        self._wanted = _WANTED[match["choice"]]
        self._url = f"{endpoint(parts.config.arxiv_rss_url, '/rss')}/{match['categories']}"
        self._search_url = endpoint(parts.config.arxiv_url, "/api/query")
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the feed's present content as the page of `day`, or of the earlier day that the feed is still of.

        Raises:
            SourceError: the feed cannot be read, or arXiv has no such category.
        """
        read = partial(read_batch, wanted=self._wanted)
        batch = await self._http.get(self._url, read, source=self.name, pace=PACE)
        if batch.title.startswith("Feed error"):
            raise SourceError(f"{self.name}: arXiv has no such feed: {batch.title}")
        if batch.left_out:
            _log.info("announcements_left_out", source=self.name, count=batch.left_out)
        if batch.day is not None and batch.day < batch_due(day, now):
            return replace(page(self.name, batch.day, now, batch.found), instead=batch.day)
        return page(self.name, day, now, batch.found)

    async def read_missed(self, day: date, *, now: datetime) -> Page:
        """Return what the feed must have shown on a past day: the papers submitted in time for it.

        Raises:
            SourceError: the search API cannot be read.
        """
        arrived = submitted(day)
        if arrived is None:
            return Page()
        when = within("submittedDate", *arrived)
        if "replace" in self._wanted:
            when = f"({when} OR {within('lastUpdatedDate', *arrived)})"
        query = f"({' OR '.join(map(_in_category, self._categories))}) AND {when}"
        found = await search(self._http, self._search_url, query, source=self.name)
        return page(self.name, day, now, found if "cross" in self._wanted else self._first_here(found))

    def _first_here(self, found: Iterable[Seen | Skipped]) -> Iterable[Seen | Skipped]:
        """Leave out papers whose primary category is not among ours."""
        ours = tuple(f"{category}." for category in self._categories)
        return (
            paper for paper in found if isinstance(paper, Skipped) or f"{first_category(paper)}.".startswith(ours)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The content of a daily feed."""

    title: str
    day: date | None  # of its announcement, in New York
    found: list[Seen | Skipped]
    left_out: int  # announcements of kinds that are not wanted


def read_batch(document: Document, *, wanted: frozenset[str]) -> Batch:
    """Return the content of a daily feed.

    Args:
        document: the feed.
        wanted: the kinds of announcement to return, such as `new`.

    Raises:
        ValueError: it is not a feed.
    """
    feed = parse_feed(document)
    meta, entries = Record(feed.meta), [Record(entry) for entry in feed.entries]
    found = list(each(feed.entries, partial(_announced, wanted=wanted)))
    # The date as written, without conversion to UTC: the feed writes midnight in New York.
    days = [when.date() for record in (meta, *entries) if (when := moment(record.text("published", "updated")))]
    return Batch(
        title=meta.text("title"),
        day=days[0] if moment(meta.text("published", "updated")) else max(days, default=None),
        found=found,
        left_out=len(feed.entries) - len(found),
    )


def _announced(entry: Record, wanted: frozenset[str]) -> Seen | None:
    kind = entry.text("arxiv_announce_type") or "new"
    if kind not in wanted:
        return None
    creators = author_names(entry.text("author", limit=100 * AUTHORS))
    return seen(entry, creators, published=kind == "new")


def first_category(found: Seen) -> str:
    """Return the primary category of a paper, or an empty string."""
    return found.listing.categories[0] if found.listing.categories else ""


def _in_category(category: str) -> str:
    """Return the query for a category, or for an archive with all its categories."""
    return f"cat:{category}" if "." in category else f"cat:{category} OR cat:{category}.*"
