"""A service that had too many requests is left alone, over runs too; daily feeds come before searches."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from newsletter.core.errors import SourceError
from newsletter.ports import Source
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.http.cooldowns import Cooldowns
from newsletter.sources.http.pace import Pace
from newsletter.sources.http.pacing import Pacer
from newsletter.sources.parts import NO_SERVICES
from newsletter.sources.reading.parsing import Parser
from newsletter.sources.registry import build
from tests.sources.conftest import DAY, NOW
from tests.sources.feeds import announced, found, results, rss

MINUTE, HOUR = 60.0, 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_773_306_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize("kept", [True, False], ids=["in a folder", "in memory"])
def test_each_time_in_a_row_is_longer_up_to_hours(kept: bool, tmp_path: Path, clock: Clock) -> None:
    cooldowns = Cooldowns(tmp_path / "http" if kept else None, clock=clock)
    waits = []
    for _ in range(8):
        cooldowns.begin("example.org", 0.0)
        waits.append(cooldowns.until("example.org") - clock.now)
        assert not cooldowns.until("other.example")
        clock.now = cooldowns.until("example.org")
        assert not cooldowns.until("example.org")
    assert waits == [15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR]
    cooldowns.end("example.org")
    cooldowns.begin("example.org", 0.0)
    assert cooldowns.until("example.org") - clock.now == 15 * MINUTE


def test_a_time_that_the_server_names_counts_up_to_a_day(tmp_path: Path, clock: Clock) -> None:
    cooldowns = Cooldowns(tmp_path, clock=clock)
    for asked, wait in ((40.0, 40.0), (2 * HOUR, 2 * HOUR), (1e9, 24 * HOUR)):
        cooldowns.begin("example.org", asked)
        assert cooldowns.until("example.org") - clock.now == wait


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(tmp_path: Path, clock: Clock) -> None:
    cooldowns = Cooldowns(tmp_path, clock=clock)
    cooldowns.begin("example.org", 24 * HOUR)
    clock.now -= HOUR
    assert not cooldowns.until("example.org")


@pytest.mark.parametrize("noted", ["", "{", "[]", '{"until": "soon", "times": 1}', '{"until": 1}'])
def test_a_note_that_cannot_be_read_is_none(noted: str, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "example.org.cooldown").write_text(noted)
    cooldowns = Cooldowns(tmp_path, clock=clock)
    assert not cooldowns.until("example.org")
    cooldowns.begin("example.org", 0.0)
    assert json.loads((tmp_path / "example.org.cooldown").read_text())["server"] == "example.org"


async def test_arxiv_is_left_alone_by_the_next_runs_and_its_feeds_are_not(
    tmp_path: Path, httpserver: HTTPServer, clock: Clock, parser: Parser
) -> None:
    httpserver.expect_request("/rss/cs.CL").respond_with_data(rss(announced()))
    answers = iter([(results(), 429), (results(), 429), (results(found()), 200)])
    httpserver.expect_request("/api/query").respond_with_handler(lambda _: Response(*next(answers)))

    async def run() -> tuple[int, str]:
        """Search and read the feed as another run would, with a client of its own."""
        http = HttpClient(
            HttpConfig(user_agent="tests", timeout=5, retries=0, state=tmp_path),
            sleep=clock.sleep,
            clock=clock,
            parser=parser,
        )
        base = httpserver.url_for("")
        local = replace(NO_SERVICES, arxiv_url=base, arxiv_rss_url=base)

        def source(spec: str) -> Source:
            return build(spec, folder=tmp_path, config=local, http=http)

        try:
            page = await source("arxiv:cs.CL").read(DAY, now=NOW)
            assert len(page.entries) == 1
            try:
                return len((await source("arxiv_search:all:a").read(DAY, now=NOW)).entries), ""
            except SourceError as error:
                return 0, str(error)
        finally:
            await http.aclose()

    def asked() -> int:
        return sum(request.path == "/api/query" for request, _ in httpserver.log)

    assert (await run())[1].endswith("answered 429")
    assert "had too many requests and is left alone until 2026-03-12 " in (await run())[1]
    assert asked() == 1
    clock.now += 16 * MINUTE
    assert (await run())[1].endswith("answered 429")
    clock.now += 16 * MINUTE
    assert "left alone" in (await run())[1]
    clock.now += 16 * MINUTE
    assert await run() == (1, "")
    assert asked() == 3


async def test_lower_ranks_go_first_and_one_that_gives_up_holds_up_nobody(clock: Clock) -> None:
    pacer, order = Pacer(None, sleep=clock.sleep, clock=clock), []
    begin = asyncio.Event()

    async def ask(name: str, rank: int) -> None:
        async with pacer.turn(Pace("arxiv", 3.0, rank=rank)):
            await begin.wait()
            order.append((name, clock.now))

    wishes = (("a", 1), ("b", 1), ("c", 0), ("d", 0), ("e", 1))
    asking = [asyncio.create_task(ask(name, rank)) for name, rank in wishes]
    await asyncio.sleep(0)
    asking[1].cancel()
    begin.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert [name for name, _ in order] == ["a", "c", "d", "e"]
    assert [later - earlier for (_, earlier), (_, later) in pairwise(order)] == [3.0, 3.0, 3.0]


async def test_a_turn_that_is_cut_off_as_it_comes_goes_to_the_next() -> None:
    pacer, order = Pacer(None, sleep=asyncio.sleep, clock=lambda: 0.0), []
    pace = Pace("arxiv", 0.0)

    async def ask(name: str) -> None:
        async with pacer.turn(pace):
            order.append(name)

    async with pacer.turn(pace):
        second, third = asyncio.create_task(ask("second")), asyncio.create_task(ask("third"))
        await asyncio.sleep(0)
    second.cancel()  # its turn has come, and it has not begun
    await asyncio.gather(second, third, return_exceptions=True)
    assert order == ["third"]
