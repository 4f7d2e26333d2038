"""The search API of arXiv: `arxiv_search:cat:cs.LG AND abs:"graph neural network"`.

https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from newsletter.core.errors import SourceError
from newsletter.sources.arxiv import PACE, seen
from newsletter.sources.http import HttpError
from newsletter.sources.parts import Parts, endpoint
from newsletter.sources.records import AUTHORS, Record, Seen, each, page, texts
from newsletter.sources.syndication import Feed, parse_feed

if TYPE_CHECKING:
    from datetime import date, datetime

    from newsletter.core.listing import Page

_log = structlog.get_logger(__name__)
_SEARCHED = timedelta(days=7)
_RESULTS = 500  # of one answer; the API gives up to 2,000, slowly
_MOST_RESULTS = 2_000


class ArxivSearch:
    """The papers of the seven days up to the issue's that a query finds, newest first.

    The query is that of the API, such as `cat:cs.LG AND abs:"graph neural network"`.
    """

    dated = False

    def __init__(self, parts: Parts) -> None:
        if not parts.rest.strip():
            raise ValueError('expected arxiv_search:QUERY, such as arxiv_search:cat:cs.LG AND abs:"graph"')
        self.name = parts.name
        self._query = parts.rest.strip()
        self._url = endpoint(parts.config.arxiv_url, "/api/query")
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return what the query finds, as the page of `day`.

        Raises:
            SourceError: the API cannot be read, or does not understand the query.
        """
        entries: list[dict[str, Any]] = []
        total = 1
        while len(entries) < min(total, _MOST_RESULTS):
            feed = await self._results(day, start=len(entries))
            total = _total(feed)
            entries += feed.entries
            if len(feed.entries) < _RESULTS:
                break
        if total > len(entries):
            _log.warning("results_left_out", source=self.name, found=total, read=len(entries))
        return page(self.name, day, now, each(entries, _found))

    async def _results(self, day: date, start: int) -> Feed:
        window = f"submittedDate:[{day - _SEARCHED:%Y%m%d}0000 TO {day:%Y%m%d}2359]"
        params = {
            "search_query": f"({self._query}) AND {window}",
            "sortBy": "submittedDate",
            "sortOrder": "descending",
            "start": str(start),
            "max_results": str(_RESULTS),
        }
        try:
            feed = await self._http.get(self._url, _read_results, params, source=self.name, pace=PACE)
        except HttpError as error:
            if error.status == HTTPStatus.BAD_REQUEST and (reason := _refusal(error.body)):
                raise SourceError(f"{self.name}: arXiv does not understand the query: {reason}") from error
            raise
        if reason := _error(feed):
            raise SourceError(f"{self.name}: arXiv does not understand the query: {reason}")
        return feed


def _read_results(body: bytes) -> Feed:
    """Return an answer of the API, which now and then counts results and gives none."""
    feed = parse_feed(body)
    if _total(feed) and not feed.entries:
        raise ValueError("results are counted but not given")
    return feed


def _total(feed: Feed) -> int:
    return Record(feed.meta).count("opensearch_totalresults") or 0


def _refusal(body: bytes) -> str:
    try:
        return _error(parse_feed(body))
    except ValueError:
        return ""


def _error(feed: Feed) -> str:
    """Return why the API refused: it says so in an entry of its own."""
    for entry in map(Record, feed.entries[:1]):
        if "/api/errors" in entry.text("id", "link"):
            return entry.text("summary") or "no reason given"
    return ""


def _found(entry: Record) -> Seen:
    authors = texts([author.raw("name") for author in entry.records("authors")], AUTHORS)
    return seen(entry, authors, published=True)
