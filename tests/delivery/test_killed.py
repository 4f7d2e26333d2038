"""Processes that are killed in the middle of their work, and what the ledger and the readers' mailboxes hold then.

`CRASHES` in the environment sets how many kills there are for each policy and kind of notes; `make crash` asks for
many.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from newsletter.core.delivery import DeliveryState, Uncertain
from newsletter.delivery.record import journal
from newsletter.delivery.record.journal import Journal
from newsletter.delivery.record.recovery import recover
from newsletter.ports import Store
from newsletter.store import open_store
from tests.delivery.fakes import NOW
from tests.delivery.stores import freeze_for
from tests.delivery.worker import POINTS, Order, Workers
from tests.smtp_server import SmtpServer

READERS, FEW, CONNECTIONS = 300, 150, 4
CRASHES = int(os.environ.get("CRASHES", "3"))
SENT, QUEUED, SENDING, UNCERTAIN = (
    DeliveryState.SENT,
    DeliveryState.QUEUED,
    DeliveryState.SENDING,
    DeliveryState.UNCERTAIN,
)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    async with Workers() as workers:
        yield workers


@pytest.fixture(params=["journal", "ledger", "postgresql"])
def order(request: pytest.FixtureRequest, server: SmtpServer, tmp_path: Path) -> Order:
    """Order to deliver what is due: from SQLite, with both kinds of notes, and from PostgreSQL."""
    sqlite = f"sqlite:///{tmp_path}/newsletter.db"
    return Order(
        database=request.getfixturevalue("postgres_url") if request.param == "postgresql" else sqlite,
        port=server.port,
        policy=Uncertain.HOLD.value,
        connections=CONNECTIONS,
        journals=str(tmp_path / "journals") if request.param == "journal" else "",
    )


@pytest.fixture
async def store(order: Order) -> AsyncIterator[Store]:
    store = await open_store(order.database)
    yield store
    await store.close()


async def addresses(store: Store, state: DeliveryState) -> set[str]:
    return {record.email for record in await store.outbox.records(states=[state])}


async def brought_back(store: Store, order: Order) -> int:
    """Recover as the next run would, and return how many deliveries had been in flight."""
    if order.database.startswith("postgresql"):
        await until_sessions_ended(order.database)
    journals = Path(order.journals) if order.journals else None
    return await recover(store.outbox, Uncertain(order.policy), now=NOW, journals=journals)


async def until_sessions_ended(database: str) -> None:
    """Wait until the server has noticed that a process is gone, which takes it a moment."""
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection, asyncio.timeout(10):
        locks = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
        while await (await connection.execute(locks)).fetchone():  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.01)


def copies(server: SmtpServer) -> Counter[bytes]:
    """Return how often each message came, by Message-ID."""
    found = (re.search(rb"^Message-ID: <(.*)>\r$", mail.content, re.MULTILINE) for mail in server.received)
    return Counter(one[1] for one in found if one)


@pytest.mark.parametrize("policy", Uncertain)
async def test_after_a_kill_a_rerun_loses_nobody_and_repeats_only_what_was_in_flight(
    server: SmtpServer, store: Store, workers: Workers, order: Order, policy: Uncertain
) -> None:
    order = replace(order, policy=policy.value)
    server.delay = 0.01
    issue = await freeze_for(store, READERS)
    child = await workers.start(order)
    await server.until(READERS // 3)
    os.kill(child, signal.SIGKILL)
    assert await workers.ended() == -signal.SIGKILL

    in_flight = await brought_back(store, order)
    sent = await addresses(store, SENT)
    assert in_flight <= CONNECTIONS
    assert sent <= set(server.copies())
    await workers.start(order)
    assert await workers.ended() == 0

    counts, received = await store.outbox.counts(issue), server.copies()
    twice = {email for email, number in received.items() if number > 1}
    assert not twice & sent
    assert len(twice) <= (in_flight if policy is Uncertain.RESEND else 0)
    assert counts[SENT] == READERS - (in_flight if policy is Uncertain.HOLD else 0)
    assert await addresses(store, SENT) <= set(received)


async def test_a_process_that_is_asked_to_end_leaves_nothing_uncertain(
    server: SmtpServer, store: Store, workers: Workers, order: Order
) -> None:
    server.delay = 0.01
    issue = await freeze_for(store, READERS)
    child = await workers.start(order)
    await server.until(READERS // 3)
    os.kill(child, signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await workers.ended() == 0

    states = await store.outbox.counts(issue)
    assert {state for state, count in states.items() if count} == {SENT, QUEUED}
    assert await addresses(store, SENT) == set(server.copies())

    await workers.start(order)
    assert await workers.ended() == 0
    assert (await store.outbox.counts(issue))[SENT] == READERS
    assert set(server.copies().values()) == {1}


async def kill_somewhere(workers: Workers, order: Order, chance: random.Random) -> bool:
    """Let a process die at a point of its way or at any moment; tell whether it had not ended before."""
    points = [point for point, (owner, *_) in POINTS.items() if order.journals or owner not in (Journal, journal)]
    point = chance.choice([*points, ""])
    count = chance.choice((1, 2, 3, 5, 8, 13, 21, 34, 55))
    most = chance.choice((0, 7, 40))
    child = await workers.start(replace(order, point=point, count=count, most=most))
    if not point:
        await asyncio.sleep(chance.uniform(0, 0.3))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    ended = await workers.ended()
    assert ended in {0, -signal.SIGKILL}
    return ended != 0


@pytest.mark.timeout(120 + 10 * CRASHES)
@pytest.mark.parametrize("policy", Uncertain)
async def test_many_kills_at_any_point_lose_nobody_and_repeat_only_what_was_in_flight(
    server: SmtpServer, store: Store, workers: Workers, order: Order, policy: Uncertain
) -> None:
    order = replace(order, policy=policy.value)
    chance = random.Random(f"{policy} {bool(order.journals)} {CRASHES}")  # noqa: S311
    issues = [await freeze_for(store, FEW)]
    in_flight = kills = 0
    while kills < CRASHES:
        if await kill_somewhere(workers, order, chance):
            kills += 1
        else:  # it had delivered everything
            issues.append(await freeze_for(store, FEW, number=len(issues) + 1))
        cut_off = await brought_back(store, order)
        assert cut_off <= CONNECTIONS
        in_flight += cut_off
    await workers.start(order)
    assert await workers.ended() == 0

    counts = sum([Counter(await store.outbox.counts(issue)) for issue in issues], Counter())
    arrived, held = copies(server), in_flight if policy is Uncertain.HOLD else 0
    kept, lost = "SQLite with a journal" if order.journals else "SQLite", counts[SENT] - len(arrived)
    if order.database.startswith("postgresql"):
        kept = "PostgreSQL"
    print(
        f"\n{kept}, {policy}: {kills} kills, {counts.total():,} deliveries, {in_flight:,} in flight, "
        f"{max(lost, 0)} lost, {arrived.total() - len(arrived):,} copies too many"
    )
    assert counts[SENT] == FEW * len(issues) - held
    assert counts[UNCERTAIN] == held
    assert len(arrived) >= counts[SENT]
    assert arrived.total() - len(arrived) <= in_flight - held


async def test_two_processes_at_once_send_each_reader_one_copy(
    server: SmtpServer, store: Store, workers: Workers, order: Order
) -> None:
    issue = await freeze_for(store, READERS)

    async with Workers() as others:
        await workers.start(order)
        await others.start(order)
        assert (await workers.ended(), await others.ended()) == (0, 0)

    assert (await store.outbox.counts(issue))[SENT] == READERS
    assert server.copies().total() == len(server.copies()) == READERS


async def test_one_of_two_processes_is_killed_and_the_other_takes_over_what_it_held(
    server: SmtpServer, store: Store, workers: Workers, order: Order
) -> None:
    server.delay = 0.05  # so that the first is still at work when the second has begun, and when it is killed
    order = replace(order, policy=Uncertain.RESEND.value)
    issue = await freeze_for(store, READERS)

    async with Workers() as others:
        killed = await workers.start(order)
        await others.start(order)
        await server.until(READERS // 3)
        os.kill(killed, signal.SIGKILL)
        await workers.ended()
        assert await others.ended() == 0
    await workers.start(order)
    assert await workers.ended() == 0

    assert (await store.outbox.counts(issue))[SENT] == READERS
    assert len(server.copies()) == READERS
    assert server.copies().total() <= READERS + CONNECTIONS
