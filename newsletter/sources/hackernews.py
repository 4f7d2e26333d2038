"""Hacker News stories that link to papers: `hackernews`, or `hackernews:20` for those with at least 20 points.

`GET /api/v1/search_by_date` of Algolia's search, https://hn.algolia.com/api. Points and comments raise the rank of
the same papers from other sources.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsletter.core.identity import arxiv_id, doi_in
from newsletter.core.listing import Listing, Page
from newsletter.ports import Source
from newsletter.sources.parts import Parts, endpoint
from newsletter.sources.reading.document import Document
from newsletter.sources.reading.json_text import read_json
from newsletter.sources.reading.records import Record, Seen, each, page

_POINTS = 5
_MOST = 1_000  # stories of one answer, and the most that the search gives
_MOST_PAGES = 20
# What submitters put after a title: `[pdf]`, `(2017)`, `(2017) [pdf]`.
_TRAILER = re.compile(r"(?:\s*(?:\[pdf\]|\((?:19|20)\d\d\)))+$", re.IGNORECASE)


class HackerNews(Source):
    """The stories of a day (UTC) that link to a paper known by its arXiv id or DOI, newest first."""

    dated = True

    def __init__(self, parts: Parts) -> None:
        if parts.rest and not re.fullmatch(r"\d{1,4}", parts.rest):
            raise ValueError("expected hackernews or hackernews:POINTS, such as hackernews:20")
        self.name = parts.name
        self._points = int(parts.rest or _POINTS)
        self._url = endpoint(parts.config.hackernews_url, "/api/v1/search_by_date")
        self._http = parts.http

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the papers that were submitted on a day.

        Raises:
            SourceError: the search cannot be read.
        """
        start = datetime.combine(day, time(), UTC)
        end = start + timedelta(days=1)
        filters = (
            f"created_at_i>={start.timestamp():.0f}",
            f"created_at_i<{end.timestamp():.0f}",
            f"points>={self._points}",
        )
        params = {"tags": "story", "numericFilters": ",".join(filters), "hitsPerPage": str(_MOST)}
        hits: list[Any] = []
        for number in range(_MOST_PAGES):
            # An answer may hold fewer stories than asked for; it says how many answers there are.
            more, pages = await self._http.get(self._url, _hits, params | {"page": str(number)}, source=self.name)
            hits += more
            if not more or number + 1 >= pages:
                break
        return page(self.name, day, now, each(hits, _read))


def _hits(document: Document) -> tuple[list[Any], int]:
    """Return the stories of an answer, and how many answers there are."""
    answer = Record(read_json(document.content))
    return answer.listed("hits"), answer.count("nbPages") or 1


def _read(story: Record) -> Seen | None:
    url = story.link("url")
    arxiv, doi = arxiv_id(url), doi_in(url)
    if not (arxiv or doi):
        return None
    title = story.title("title")
    number = story.text("objectID")
    return Seen(
        listing=Listing(
            title=_TRAILER.sub("", title) or title,
            arxiv_id=arxiv,
            doi=doi,
            url=f"https://arxiv.org/abs/{arxiv}" if arxiv else url,
            pdf_url=f"https://arxiv.org/pdf/{arxiv}" if arxiv else "",
            submitted_by=story.text("author"),
            discussion_url=f"https://news.ycombinator.com/item?id={number}" if number.isdecimal() else "",
        ),
        upvotes=story.count("points"),
        comments=story.count("num_comments"),
    )
