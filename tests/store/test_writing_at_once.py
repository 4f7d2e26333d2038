"""Pages of an issue that are written at once on PostgreSQL, and what becomes of them if one fails or is late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from newsletter.core.errors import StaleDraftError
from newsletter.store import closing
from newsletter.store.alike import ReadersAlike
from newsletter.store.closing import IssueCloser
from newsletter.store.half_issues import HalfIssues, half_issue
from newsletter.store.session_workers import SessionWorkers
from newsletter.store.tables import deliveries, issues
from tests.store.conftest import Opener
from tests.store.half_closed import small_pages
from tests.store.samples import NOW, at, draft, due, join, subscriber

__all__ = ["small_pages"]

pytestmark = pytest.mark.usefixtures("small_pages")


async def thrown_away(url: str) -> None:
    """Take the worker of the half issue for dead, and throw away what it left."""
    async with at(url) as database:
        async with database.read() as connection:
            half = await half_issue(connection, draft().masthead)
        assert half is not None
        await HalfIssues(database, SessionWorkers(database))._take_over(half, "another")


async def until_taken_over(url: str) -> None:
    """Wait until the half issue bears another worker's name."""
    async with at(url) as database:
        worker = None
        while worker != "another":
            await asyncio.sleep(0.01)
            async with database.read() as connection:
                half = await half_issue(connection, draft().masthead)
            worker = half and half.worker


async def rows(url: str) -> tuple[int, int]:
    """Return how many issues and deliveries are written."""
    async with at(url) as database, database.read() as connection:
        counts = [sa.select(sa.func.count()).select_from(table) for table in (issues, deliveries)]
        made, planned = [int(await connection.scalar(query) or 0) for query in counts]
        return made, planned


async def test_two_pages_are_written_at_once_and_each_reader_has_one_delivery(
    open_at: Opener, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write, at_work, most = await open_at(postgres_url), IssueCloser._write, 0, 0

    async def counting(*arguments: Any) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await write(*arguments)
        at_work -= 1

    monkeypatch.setattr(IssueCloser, "_write", counting)
    await join(store, *(subscriber(number) for number in range(41)))

    issue, _ = await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    assert most == 2
    addresses = [one.email for one in await store.outbox.records()]
    assert (len(addresses), len(set(addresses))) == (41, 41)
    assert sum((await store.outbox.counts(issue.key)).values()) == 41


async def test_pages_that_are_written_while_the_issue_is_thrown_away_are_not_there(
    open_at: Opener, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both pages' deliveries are in transactions that are not over, when another takes the worker for dead."""
    store, write_on = await open_at(postgres_url), closing._write_on
    both, go_on = asyncio.Barrier(3), asyncio.Event()

    async def late(*arguments: Any, **values: Any) -> None:
        await both.wait()
        await go_on.wait()
        await write_on(*arguments, **values)

    monkeypatch.setattr(closing, "_write_on", late)
    await join(store, *(subscriber(number) for number in range(4)))
    freezing = asyncio.create_task(store.issues.freeze(draft(), "Papers", due(), now=NOW))
    await both.wait()
    throwing = asyncio.create_task(thrown_away(postgres_url))
    await until_taken_over(postgres_url)
    await asyncio.wait([throwing], timeout=0.3)
    assert not throwing.done()
    go_on.set()

    await throwing
    with pytest.raises(StaleDraftError, match="another process has thrown the issue away"):
        await freezing
    assert await rows(postgres_url) == (0, 0)


async def test_who_throws_an_issue_away_waits_for_a_page_that_is_as_good_as_written(
    open_at: Opener, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, write_on = await open_at(postgres_url), closing._write_on
    is_there, go_on = asyncio.Event(), asyncio.Event()

    async def holding(*arguments: Any, **values: Any) -> None:
        await write_on(*arguments, **values)
        is_there.set()
        await go_on.wait()

    monkeypatch.setattr(closing, "_write_on", holding)
    await join(store, *(subscriber(number) for number in range(4)))
    freezing = asyncio.create_task(store.issues.freeze(draft(), "Papers", due(), now=NOW))
    await is_there.wait()
    throwing = asyncio.create_task(thrown_away(postgres_url))
    await asyncio.wait([throwing], timeout=0.3)
    assert not throwing.done()
    go_on.set()

    await throwing
    with pytest.raises(StaleDraftError, match="another process has thrown the issue away"):
        await freezing
    assert await rows(postgres_url) == (0, 0)


async def test_a_page_that_fails_ends_the_one_beside_it_and_nothing_is_left(
    open_at: Opener, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, add = await open_at(postgres_url), ReadersAlike.add
    pages, was_ended = 0, False

    async def failing(*arguments: Any) -> None:
        nonlocal pages, was_ended
        pages += 1
        number = pages
        await add(*arguments)
        if number == 2:
            raise LookupError("the second page")
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            was_ended = True
            raise

    monkeypatch.setattr(ReadersAlike, "add", failing)
    await join(store, *(subscriber(number) for number in range(8)))

    with pytest.raises(LookupError, match="the second page"):
        await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    assert was_ended
    assert await rows(postgres_url) == (0, 0)
