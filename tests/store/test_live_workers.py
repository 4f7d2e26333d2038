"""Which processes deliver, as operators see it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from newsletter import __version__
from newsletter.ports import LiveWorker, Store
from newsletter.store import live_workers
from newsletter.store.worker_tables import workers
from tests.store.conftest import Opener
from tests.store.samples import at


async def seen(store: Store, count: int) -> list[LiveWorker]:
    """Wait until so many workers are seen, and return them."""
    async with asyncio.timeout(10):
        while len(found := await store.live_workers.alive()) != count:
            pass
    return found


async def test_a_worker_is_seen_from_everywhere_with_what_it_does_until_it_ends(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_workers, "_EVERY", 0.05)
    mine, other = await opened(), await opened()
    chunks = 2
    async with mine.live_workers.register(
        "worker", concurrency=4, queues=("mails", "issues"), busy=lambda: chunks
    ):
        [found] = await seen(other, 1)
        assert (found.kind, found.concurrency, found.queues, found.busy) == ("worker", 4, ("mails", "issues"), 2)
        assert found.version == __version__

        chunks = 3
        async with asyncio.timeout(10):
            while found.busy != chunks:
                [found] = await other.live_workers.alive()
        assert found.seen_at > found.started_at
    assert await other.live_workers.alive() == []


async def test_one_that_gives_no_sign_of_life_is_not_seen(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_workers, "_EVERY", 0.2)
    async with store.live_workers.register("worker", concurrency=1):
        [found] = await seen(store, 1)
        async with at(url) as database, database.write() as connection:
            await connection.execute(sa.update(workers).values(seen_at=found.seen_at - timedelta(days=365)))
        assert [one.name for one in await seen(store, 1)] == [found.name]  # it speaks again


async def test_workers_of_the_ledger_itself_are_not_among_them(store: Store) -> None:
    async with store.outbox.worker():
        assert await store.live_workers.alive() == []
