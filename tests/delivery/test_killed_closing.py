"""Processes that are killed while they close an issue, and those that close one at once.

`CRASHES` in the environment sets how many kills there are on each engine; `make crash` asks for many.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.core.delivery import DeliveryState, Uncertain
from newsletter.ports import Store
from newsletter.store import open_store
from newsletter.store.engine import connect
from newsletter.store.tables import choices, deliveries, issues
from tests.delivery.stores import join
from tests.delivery.worker import CLOSING_POINTS, Order, Workers
from tests.smtp_server import SmtpServer

READERS = 150  # eight pages of the worker's
CRASHES = int(os.environ.get("CRASHES", "3"))


@pytest.fixture(params=["sqlite", "postgresql"])
def order(request: pytest.FixtureRequest, server: SmtpServer, tmp_path: Path) -> Order:
    """Order to close the list's first issue and to deliver it, on both engines."""
    sqlite = f"sqlite:///{tmp_path}/newsletter.db"
    return Order(
        database=request.getfixturevalue("postgres_url") if request.param == "postgresql" else sqlite,
        port=server.port,
        policy=Uncertain.RESEND.value,
        closes=1,
    )


@pytest.fixture
async def store(order: Order) -> AsyncIterator[Store]:
    """The ledger, with the readers of the list."""
    store = await open_store(order.database)
    await join(store, READERS)
    yield store
    await store.close()


async def written(order: Order) -> dict[str, int]:
    """Return how many issues, choices and deliveries are written, of half issues too."""
    database = connect(order.database)
    try:
        async with database.read() as connection:
            counts = {
                one.name: sa.select(sa.func.count()).select_from(one) for one in (issues, choices, deliveries)
            }
            return {name: int(await connection.scalar(query) or 0) for name, query in counts.items()}
    finally:
        await database.close()


async def kill_somewhere(workers: Workers, order: Order, chance: random.Random) -> bool:
    """Let a process die at a point of closing, or at any moment; return whether it did."""
    point = chance.choice([*CLOSING_POINTS, ""])
    child = await workers.start(replace(order, point=point, count=chance.choice((1, 1, 2, 3, 5, 8))))
    if not point:
        await asyncio.sleep(chance.uniform(0, 0.3))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    ended = await workers.ended()
    assert ended in {0, -signal.SIGKILL}
    return ended != 0


@pytest.mark.timeout(60 + 10 * CRASHES)
async def test_kills_at_any_point_of_closing_leave_each_reader_one_delivery_and_one_mail_of_each_issue(
    server: SmtpServer, store: Store, order: Order
) -> None:
    chance = random.Random(f"{order.database[:6]} {CRASHES}")  # noqa: S311
    kills, days = 0, 1
    async with Workers() as workers:
        while kills < CRASHES:
            if await kill_somewhere(workers, replace(order, closes=days, delivers=False), chance):
                kills += 1
            else:
                days += 1
        await workers.start(replace(order, closes=days))
        assert await workers.ended() == 0

    history = await store.issues.history(limit=999)
    print(f"\n{order.database[:6]}: {kills} kills, {days} issues")
    assert [one.number for one in history] == [*range(days, 0, -1)]
    assert all(one.deliveries[DeliveryState.SENT] == READERS for one in history)
    assert set(server.copies().values()) == {days}
    assert len(server.copies()) == READERS
    assert await written(order) == {
        "issues": days,
        "choices": days * READERS,
        "deliveries": days * READERS,
    }


async def test_two_processes_at_once_close_one_issue_and_mail_each_reader_once(
    server: SmtpServer, store: Store, order: Order
) -> None:
    async with Workers() as one, Workers() as other:
        await one.start(order)
        await other.start(order)
        assert (await one.ended(), await other.ended()) == (0, 0)

    assert await written(order) == {"issues": 1, "choices": READERS, "deliveries": READERS}
    assert Counter(server.copies().values()) == {1: READERS}


async def test_who_waits_for_a_process_that_is_killed_closes_the_issue(
    server: SmtpServer, store: Store, order: Order
) -> None:
    async with Workers() as killed, Workers() as other:
        await killed.start(replace(order, point="before a page is written", count=5))
        await other.start(order)
        assert (await killed.ended(), await other.ended()) in {(-signal.SIGKILL, 0), (0, 0)}

    assert await written(order) == {"issues": 1, "choices": READERS, "deliveries": READERS}
    assert Counter(server.copies().values()) == {1: READERS}
