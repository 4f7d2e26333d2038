"""The search API of arXiv: `arxiv_search:cat:cs.LG AND abs:"graph neural network"`.

https://info.arxiv.org/help/api/user-manual.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from http import HTTPStatus

import structlog

from newsletter.core.errors import SourceError
from newsletter.core.listing import Page, Skipped
from newsletter.ports import Source
from newsletter.sources.arxiv import SEARCH_PACE, seen
from newsletter.sources.parts import Http, Parts, endpoint
from newsletter.sources.reading.document import Document, HttpError
from newsletter.sources.reading.records import AUTHORS, Record, Seen, each, page, texts
from newsletter.sources.reading.syndication import Feed, parse_feed

_log = structlog.get_logger(__name__)
_SEARCHED = timedelta(days=7)
_RESULTS = 500  # of one answer; the API gives up to 2,000, slowly
_MOST_RESULTS = 2_000


class ArxivSearch(Source):
    """The papers that a query finds in the seven days up to the issue's day, newest first.

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
        """Return the papers that the query finds, as the page of `day`.

        Raises:
            SourceError: the API cannot be read, or does not understand the query.
        """
        since = datetime.combine(day - _SEARCHED, time(), UTC)
        until = datetime.combine(day, time(23, 59), UTC)
        query = f"({self._query}) AND {within('submittedDate', since, until)}"
        return page(self.name, day, now, await search(self._http, self._url, query, source=self.name))


def within(what: str, since: datetime, until: datetime) -> str:
    """Return the query for papers whose date `what`, such as `submittedDate`, lies between two moments."""
    return f"{what}:[{since.astimezone(UTC):%Y%m%d%H%M} TO {until.astimezone(UTC):%Y%m%d%H%M}]"


async def search(http: Http, url: str, query: str, *, source: str) -> list[Seen | Skipped]:
    """Return all papers that a query finds, newest first; asks for one part of them after another.

    Raises:
        SourceError: the API cannot be read, or does not understand the query.
    """
    found: dict[Seen | Skipped, None] = {}  # in their order
    total, read = 1, 0
    while read < min(total, _MOST_RESULTS):
        # An answer may hold fewer results than asked for: the next request begins where it ended.
        results = await _results(http, url, query, start=read, source=source)
        total, known = results.total, len(found)
        found.update(dict.fromkeys(results.found))
        read += len(results.found)
        if len(found) == known:  # there are no more, or the server repeats itself
            break
    if total > len(found):
        _log.warning("results_left_out", source=source, found=total, read=len(found))
    return list(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """An answer of the API: a part of the results."""

    total: int  # how many papers the query finds; this answer may hold fewer
    found: list[Seen | Skipped]
    refusal: str = ""  # why the query was not understood


async def _results(http: Http, url: str, query: str, *, start: int, source: str) -> Results:
    params = {
        "search_query": query,
        "sortBy": "submittedDate",
        "sortOrder": "descending",
        "start": str(start),
        "max_results": str(_RESULTS),
    }
    try:
        read = partial(read_results, start=start)
        results = await http.get(url, read, params, source=source, pace=SEARCH_PACE)
    except HttpError as error:
        if error.status == HTTPStatus.BAD_REQUEST and (reason := _refusal_in(error.body)):
            raise SourceError(f"{source}: arXiv does not understand the query: {reason}") from error
        raise
    if results.refusal:
        raise SourceError(f"{source}: arXiv does not understand the query: {results.refusal}")
    return results


def read_results(document: Document, *, start: int = 0) -> Results:
    """Return an answer of the API.

    Args:
        document: the answer.
        start: the number of its first result, from 0.

    Raises:
        ValueError: it is not an answer of the API, or it counts results but holds none, as happens now and then.
    """
    feed = parse_feed(document)
    total = Record(feed.meta).count("opensearch_totalresults") or 0
    if total and not feed.entries and not start:
        raise ValueError("results are counted but not given")
    return Results(total=total, found=list(each(feed.entries, _found)), refusal=_refusal(feed))


def _refusal_in(body: bytes) -> str:
    try:
        return _refusal(parse_feed(Document(content=body)))
    except ValueError:
        return ""


def _refusal(feed: Feed) -> str:
    """Return why the API refused the query, or nothing; an entry of the feed says so."""
    for entry in map(Record, feed.entries[:1]):
        if "/api/errors" in entry.text("id", "link"):
            return entry.text("summary") or "no reason given"
    return ""


def _found(entry: Record) -> Seen:
    authors = texts([author.raw("name") for author in entry.records("authors")], AUTHORS)
    return seen(entry, authors, published=True)
