"""Workers of PostgreSQL: stopped ones are dead after a while, those whose sessions broke go on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.core.delivery import DeliveryState, Uncertain, begun
from newsletter.core.errors import LostWorkerError, OutdatedError, StaleDraftError, StoreError
from newsletter.ports import Store
from newsletter.store import engine, migrate, session_workers
from newsletter.store.engine import Database
from newsletter.store.sql import SqlStore
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.half_closed import halfway, small_pages
from tests.store.samples import NOW, at, draft, due, frozen, join, subscriber

__all__ = ["small_pages"]


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with at(postgres_url) as database:
        yield database


@pytest.fixture
async def mine(postgres_url: str, open_at: Opener) -> Store:
    return await open_at(postgres_url)


@pytest.fixture
async def others(postgres_url: str, open_at: Opener) -> Store:
    return await open_at(postgres_url)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers give no sign of life, and are taken for dead after a tenth of a second."""
    monkeypatch.setattr(session_workers, "_EVERY", 3600.0)
    monkeypatch.setattr(session_workers, "SILENT", 0.1)
    monkeypatch.setattr(session_workers, "_LONG_RUNNING", timedelta())


async def sessions_end(database: Database) -> None:
    """End the sessions that hold locks of workers, and let them have been those of a server before this one."""
    async with database.write() as connection:
        await connection.execute(
            sa.text("UPDATE workers SET server_started_at = server_started_at - interval '1 hour'")
        )
        await connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
            )
        )


async def is_locked(database: Database, worker: str) -> bool:
    query = sa.text("SELECT server_started_at = pg_postmaster_start_time() FROM workers WHERE name = :name")
    async with database.read() as connection:
        return bool(await connection.scalar(query, {"name": worker}))


@pytest.mark.usefixtures("stopped")
async def test_what_a_stopped_worker_held_goes_to_others_and_it_claims_nothing_when_it_wakes_up(
    mine: Store, others: Store
) -> None:
    issue = await frozen(mine, 3)
    async with mine.outbox.worker() as silent:
        in_flight, _ = await claim(mine.outbox, silent, now=NOW, limit=2)
        await mine.outbox.record([begun(in_flight, NOW)], worker=silent)
        await asyncio.sleep(0.2)

        assert await others.outbox.dead_workers() == [silent]
        assert await others.outbox.recover(Uncertain.RESEND, now=NOW) == 1

        with pytest.raises(LostWorkerError, match="gave no sign of life"):
            await mine.outbox.claim(silent, issue_key=issue.key, now=NOW, limit=9)
        async with mine.outbox.worker() as anew:
            assert len(await claim(mine.outbox, anew, now=NOW, limit=9)) == 3


async def test_a_worker_that_has_spoken_again_before_it_is_recovered_keeps_what_it_holds(
    mine: Store, others: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await frozen(mine, 1)
    async with mine.outbox.worker() as worker:
        await claim(mine.outbox, worker, now=NOW, limit=1)
        dead = others.outbox.dead_workers
        monkeypatch.setattr(others.outbox, "dead_workers", lambda: asyncio.sleep(0, [worker]))

        assert await others.outbox.recover(Uncertain.RESEND, now=NOW) == 0
        assert await dead() == []
        assert await claim(others.outbox, "another", now=NOW, limit=9) == []


async def test_workers_outlive_a_restart_of_the_server_that_forgets_their_locks(
    mine: Store, others: Store, database: Database
) -> None:
    issue = await frozen(mine, 2)
    async with mine.outbox.worker() as worker:
        await claim(mine.outbox, worker, now=NOW, limit=1)

        await sessions_end(database)
        assert await others.outbox.dead_workers() == []

        async with asyncio.timeout(10):
            while not await is_locked(database, worker):
                pass
        assert await others.outbox.dead_workers() == []
        assert len(await mine.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=9)) == 1
    assert await others.outbox.dead_workers() == [worker]


@pytest.mark.usefixtures("stopped")
async def test_whoever_has_just_found_a_server_that_has_just_begun_takes_nobody_for_silent(
    mine: Store, others: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_workers, "_LONG_RUNNING", timedelta(days=1))
    monkeypatch.setattr(session_workers, "_SETTLED", 0.5)
    await frozen(mine, 1)
    async with mine.outbox.worker() as silent, others.outbox.worker():
        await claim(mine.outbox, silent, now=NOW, limit=1)
        await asyncio.sleep(0.2)
        assert await others.outbox.dead_workers() == []

        await asyncio.sleep(0.5)
        assert await others.outbox.dead_workers() == [silent]


@pytest.mark.usefixtures("stopped", "small_pages")
async def test_an_issue_whose_closer_is_stopped_is_closed_by_another(mine: Store, others: Store) -> None:
    await join(mine, *(subscriber(number) for number in range(5)))
    async with halfway(mine, draft()) as stopped:
        await asyncio.sleep(0.2)
        issue, created = await others.issues.freeze(draft(), "Papers", due(), now=NOW)
        assert created

        with pytest.raises(StaleDraftError, match="another process has thrown the issue away"):
            await stopped.finish()
    assert (await others.outbox.counts(issue.key))[DeliveryState.QUEUED] == 5


@pytest.mark.usefixtures("stopped")
async def test_one_that_is_stopped_within_a_transaction_keeps_nobody_from_taking_over(
    postgres_url: str, open_at: Opener, others: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_LONGEST_IDLE", 0.5)
    mine = await open_at(postgres_url)
    assert isinstance(mine, SqlStore)
    await frozen(mine, 2)
    async with mine.outbox.worker() as silent:
        await claim(mine.outbox, silent, now=NOW, limit=1)
        with pytest.raises(StoreError, match="idle-in-transaction timeout"):
            await stop_within_a_transaction(mine, others)


async def stop_within_a_transaction(mine: SqlStore, others: Store) -> None:
    """Lock all workers and deliveries, and do not go on before others have recovered and claimed them."""
    async with mine._database.write() as connection:
        await connection.execute(sa.text("SELECT FROM workers FOR KEY SHARE"))
        await connection.execute(sa.text("SELECT FROM deliveries FOR UPDATE"))
        await asyncio.sleep(0.2)
        assert await others.outbox.recover(Uncertain.HOLD, now=NOW) == 0
        async with others.outbox.worker() as living:
            assert len(await claim(others.outbox, living, now=NOW, limit=9)) == 2


async def test_a_pooler_that_gives_one_session_to_several_clients_is_an_error(
    mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_workers, "_OPEN", sa.select(sa.literal(1)))  # both are served by the same one

    with pytest.raises(StoreError, match="pool_mode = session"):
        async with mine.outbox.worker():
            pass


_NEXT_MIGRATION = """
revision = "9999"
down_revision = "{before}"

def upgrade() -> None:
    pass
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """The migrations of a version of the program that comes after this one."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate._MIGRATIONS, folder)
    text = _NEXT_MIGRATION.format(before=migrate.newest_revision())
    (folder / "versions/9999_next.py").write_text(text)
    return folder


async def test_workers_of_the_version_before_do_nothing_more_once_the_ledger_is_upgraded(
    mine: Store, others: Store, postgres_url: str, next_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await frozen(mine, 2)
    async with mine.outbox.worker() as old:
        in_flight, next_one = await claim(mine.outbox, old, now=NOW, limit=2)
        await mine.outbox.note(old, 1, [begun(in_flight, NOW)])
        with monkeypatch.context() as newer:
            newer.setattr(migrate, "_MIGRATIONS", next_version)
            await migrate.upgrade(postgres_url)

        assert await others.outbox.dead_workers() == [old]
        with pytest.raises(LostWorkerError, match=f"{old} was taken for dead"):
            await mine.outbox.note(old, 2, [begun(next_one, NOW)])
    with pytest.raises(
        OutdatedError, match=r"tables are of revision 9999, and this process is of \d+; restart it"
    ):
        async with mine.outbox.worker():
            pass
    assert await others.outbox.recover(Uncertain.HOLD, now=NOW) == 1


async def test_an_upgrade_with_nothing_to_do_leaves_workers_alone(mine: Store, postgres_url: str) -> None:
    await frozen(mine, 1)
    async with mine.outbox.worker() as worker:
        [one] = await claim(mine.outbox, worker, now=NOW, limit=1)
        await migrate.upgrade(postgres_url)

        assert not await mine.outbox.note(worker, 1, [begun(one, NOW)])
