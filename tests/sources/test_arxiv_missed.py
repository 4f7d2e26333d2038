"""Days on which a daily feed of arXiv was not read, or had not turned its page."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from newsletter.pipeline.collect import Collected, collect
from newsletter.ports import Source, Store
from tests.sources.conftest import DAY, NOW, Build
from tests.sources.feeds import announced, found, results, rss

ONE = timedelta(days=1)
MONDAY = DAY - 3 * ONE


class Arxiv:
    """Serves the batch of a day, and finds what arrived for any day: one paper each, numbered by the day."""

    def __init__(self, server: HTTPServer) -> None:
        self.shows: date | None = None  # None: the feed is down
        self.searches = True
        self.queries: list[str] = []
        server.expect_request("/rss/cs.CL").respond_with_handler(self._feed)
        server.expect_request("/api/query").respond_with_handler(self._search)

    def _feed(self, _: Request) -> Response:
        if self.shows is None:
            return Response("down", status=503)
        dated = f"<pubDate>{self.shows:%a, %d %b %Y} 00:00:00 -0400</pubDate>"
        items = [announced(self.shows.day)] if self.shows.weekday() < 5 else []
        return Response(rss(*items).replace("<link>https://example.org/</link>", dated))

    def _search(self, request: Request) -> Response:
        if not self.searches:
            return Response("too many", status=429)
        self.queries.append(request.args["search_query"])
        until = self.queries[-1].partition(" TO ")[2][:8]
        day = datetime.strptime(until, "%Y%m%d").replace(tzinfo=UTC).date()
        shown = day + (3 * ONE if day.weekday() == 4 else ONE)
        return Response(results(found(shown.day)))


@pytest.fixture
def arxiv(httpserver: HTTPServer) -> Arxiv:
    return Arxiv(httpserver)


@pytest.fixture
def papers(source: Build) -> Source:
    return source("arxiv:cs.CL")


async def run(store: Store, papers: Source, day: date, *, previous: date | None = None) -> Collected:
    now = datetime.combine(day, time(9), UTC)
    return await collect([papers], store.library, day=day, lookback_days=1, previous=previous, now=now)


async def known(store: Store, papers: Source) -> dict[str, date]:
    """Return the papers that were read, and on which day each was listed first."""
    candidates = await store.library.candidates([papers.name], since=MONDAY - 30 * ONE, until=DAY + 30 * ONE)
    return {entry.listing.arxiv_id: entry.first_listed_on for entry in candidates}


def number(day: date) -> str:
    return f"2603.{day.day:05d}"


async def test_a_day_on_which_the_feed_was_down_is_caught_up(arxiv: Arxiv, papers: Source, store: Store) -> None:
    arxiv.shows = MONDAY
    assert not (await run(store, papers, MONDAY)).failures
    arxiv.shows = None
    assert "answered 503" in (await run(store, papers, MONDAY + ONE)).failures[papers.name]
    arxiv.shows = MONDAY + 2 * ONE
    with capture_logs() as logs:
        collected = await run(store, papers, MONDAY + 2 * ONE)
    assert (collected.failures, collected.new) == ({}, 2)
    assert [(log["day"], log["new"]) for log in logs if log["event"] == "missed_day_read"] == [("2026-03-10", 1)]
    assert await known(store, papers) == {number(day): day for day in (MONDAY, MONDAY + ONE, MONDAY + 2 * ONE)}
    assert arxiv.queries == ["(cat:cs.CL) AND submittedDate:[202603061900 TO 202603091800]"]
    await run(store, papers, MONDAY + 2 * ONE)
    assert len(arxiv.queries) == 1


async def test_a_feed_that_shows_an_earlier_day_is_told_and_caught_up(
    arxiv: Arxiv, papers: Source, store: Store
) -> None:
    arxiv.shows = MONDAY
    await run(store, papers, MONDAY)
    collected = await run(store, papers, MONDAY + ONE)
    assert collected.failures == {
        papers.name: "arxiv:cs.CL: still shows the page of 2026-03-09, that of 2026-03-10 is missing"
    }
    assert (collected.new, collected.pages, collected.nothing_answered) == (0, 1, False)
    arxiv.shows = MONDAY + 2 * ONE
    assert not (await run(store, papers, MONDAY + 2 * ONE)).failures
    assert number(MONDAY + ONE) in await known(store, papers)


async def test_an_earlier_page_that_nobody_read_is_read_now(arxiv: Arxiv, papers: Source, store: Store) -> None:
    arxiv.shows = None
    await run(store, papers, MONDAY)
    arxiv.shows = MONDAY
    await run(store, papers, MONDAY + ONE)
    assert await known(store, papers) == {number(MONDAY): MONDAY}
    assert not arxiv.queries


async def test_what_cannot_be_caught_up_is_named_at_each_run_until_it_can(
    arxiv: Arxiv, papers: Source, store: Store, tmp_path: Path
) -> None:
    await run(store, papers, MONDAY)
    arxiv.searches = False
    for offset, reason in ((1, "answered 429"), (2, "is left alone until")):
        arxiv.shows = MONDAY + offset * ONE
        failure = (await run(store, papers, MONDAY + offset * ONE)).failures[papers.name]
        assert "what it showed on 2026-03-09 is still missing" in failure
        assert reason in failure
    (note,) = (tmp_path / "state" / "http").glob("*.cooldown")
    note.unlink()  # as if the time were over
    arxiv.searches, arxiv.shows = True, MONDAY + 3 * ONE
    assert not (await run(store, papers, MONDAY + 3 * ONE)).failures
    assert number(MONDAY) in await known(store, papers)


async def test_days_between_issues_are_caught_up_and_weekends_ask_nothing(
    arxiv: Arxiv, papers: Source, store: Store
) -> None:
    arxiv.shows = MONDAY - 4 * ONE
    await run(store, papers, MONDAY - 4 * ONE)
    arxiv.shows = MONDAY + ONE
    collected = await run(store, papers, MONDAY + ONE, previous=MONDAY - 4 * ONE)
    assert await known(store, papers) == {
        number(day): day for day in (MONDAY - 4 * ONE, MONDAY - 3 * ONE, MONDAY, MONDAY + ONE)
    }
    assert len(arxiv.queries) == 2
    assert not collected.failures


async def test_before_the_first_issue_nothing_was_missed(arxiv: Arxiv, papers: Source, store: Store) -> None:
    arxiv.shows = MONDAY
    await run(store, papers, MONDAY)
    assert not arxiv.queries


@pytest.mark.parametrize("day", [MONDAY + 5 * ONE, MONDAY + 6 * ONE])
async def test_a_weekend_that_still_shows_friday_is_no_trouble(
    day: date, arxiv: Arxiv, papers: Source, store: Store
) -> None:
    arxiv.shows = MONDAY + 4 * ONE
    assert not (await run(store, papers, day)).failures


@pytest.mark.parametrize(
    ("spec", "query"),
    [
        ("arxiv:cs.CL+cs.LG", "(cat:cs.CL OR cat:cs.LG) AND "),
        ("arxiv:math", "(cat:math OR cat:math.*) AND "),
        ("arxiv:cs.CL?replacements", "(cat:cs.CL) AND (submittedDate:[202603101800 TO 202603111800] OR last"),
    ],
)
async def test_missed_days_are_searched_for_in_the_categories(
    spec: str, query: str, arxiv: Arxiv, source: Build
) -> None:
    papers = source(spec)
    await papers.read_missed(DAY, now=NOW)  # type: ignore[attr-defined]
    assert arxiv.queries[0].startswith(query)


@pytest.mark.parametrize(("spec", "count"), [("arxiv:cs.AI", 1), ("arxiv:cs.AI?new", 0), ("arxiv:hep-th?new", 1)])
async def test_cross_lists_are_left_out_by_choice_on_missed_days_too(
    spec: str, count: int, arxiv: Arxiv, source: Build
) -> None:
    papers = source(spec)
    page = await papers.read_missed(DAY, now=NOW)  # type: ignore[attr-defined]
    assert len(page.entries) == count
