"""Connections to SQLite end when they are asked to, whatever they wait for."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import aiosqlite
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.errors import StoreError
from newsletter.store import open_store, sqlite
from newsletter.store.engine import Database, connect
from newsletter.store.sqlite import Connection
from tests.store.conftest import Opener

# A process of its own: what is tested is that it ends. Readers wait for a slow statement, or for one of the few
# connections, and are cancelled as often as asked.
_READERS = """
import asyncio, sys
import sqlalchemy as sa
from newsletter.store.engine import connect
from newsletter.store.sqlite import Connection

async def main():
    database = connect(f"sqlite:///{sys.argv[1]}")
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n LIMIT 1"

    async def read():
        async with database.read() as connection:
            await connection.execute(sa.text(slow))

    readers = [asyncio.create_task(read()) for _ in range(10)]
    await asyncio.sleep(0.3)
    for _ in range(int(sys.argv[2])):
        for reader in readers:
            reader.cancel()
        await asyncio.sleep(0)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An SQLite file in the mode that ours has."""
    with closing(sqlite3.connect(tmp_path / "newsletter.db", isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("CREATE TABLE one (number INTEGER)")
    return tmp_path / "newsletter.db"


@pytest.mark.parametrize("times", ["1", "3"])
async def test_a_process_ends_at_once_however_often_its_readers_are_cancelled(path: Path, times: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _READERS, str(path), times, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(15):
            _, err = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, err.decode()


async def test_closing_ends_the_wait_for_another_processs_lock(path: Path) -> None:
    database = connect(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with database.write():
                pass

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.2)
        began = monotonic()
        await database.close()
        with pytest.raises(StoreError, match="locked; another process is writing"):
            await writing
        assert monotonic() - began < 3
    assert not await asyncio.to_thread(left_open)


def left_open() -> list[threading.Thread]:
    """Return the threads of connections that are still there after a moment."""
    deadline = monotonic() + 5
    while True:
        left = [thread for thread in threading.enumerate() if "_connection_worker_thread" in thread.name]
        if not left or monotonic() >= deadline:
            return left
        sleep(0.01)


async def test_a_cancelled_wait_for_a_lock_ends_within_one_spell(path: Path) -> None:
    database = connect(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with database.write() as connection:
                await connection.exec_driver_sql("INSERT INTO one VALUES (1)")

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.2)
        began = monotonic()
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        assert monotonic() - began < 3
    async with database.write() as connection:  # and the next writer has a connection that works
        assert (await connection.exec_driver_sql("SELECT count(*) FROM one")).scalar() == 0
    await database.close()


async def test_a_lock_is_waited_for_over_many_spells(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "SPELL", 0.05)
    database = connect(f"sqlite:///{path}", patience=20)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.6, other.rollback).start()
        async with database.write() as connection:
            await connection.exec_driver_sql("INSERT INTO one VALUES (1)")
    await database.close()


async def test_patience_has_an_end(path: Path) -> None:
    database = connect(f"sqlite:///{path}", patience=0.3)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = monotonic()
        with pytest.raises(StoreError, match="locked"):
            async with database.write():
                pass
        assert 0.25 < monotonic() - began < 3
    await database.close()


async def test_what_is_wrong_otherwise_is_not_waited_for(path: Path) -> None:
    await asyncio.to_thread(path.write_bytes, b"this is no database" * 100)
    began = monotonic()
    database = connect(f"sqlite:///{path}")
    with pytest.raises(StoreError, match="not a database"):
        async with database.write():
            pass
    assert monotonic() - began < 3
    await database.close()


async def test_a_long_statement_is_broken_off_and_rolled_back_when_its_user_is_cancelled(path: Path) -> None:
    database = connect(f"sqlite:///{path}")
    endless = "INSERT INTO one WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"

    async def write() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql(endless)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.3)
    began = monotonic()
    writing.cancel()
    await asyncio.wait([writing])
    assert monotonic() - began < 3
    async with database.read() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM one")).scalar() == 0
    await database.close()


async def test_a_connection_may_be_stopped_and_closed_in_any_order_and_again(path: Path) -> None:
    threads = threading.active_count()
    async with asyncio.timeout(10):
        for steps in ("close stop", "stop close", "stop stop", "close close stop close"):
            connection = await sqlite.connect(str(path))
            for step in steps.split():
                ended = getattr(connection, step)()
                if ended is not None:
                    await ended
        for _ in range(500):
            if threading.active_count() <= threads:
                break
            await asyncio.sleep(0.01)
    assert threading.active_count() <= threads


@pytest.mark.parametrize("turns", range(1, 6))
async def test_a_connection_may_be_stopped_while_it_is_being_closed(path: Path, turns: int) -> None:
    connection = await sqlite.connect(str(path))
    ending = asyncio.create_task(connection.close())
    for _ in range(turns):
        await asyncio.sleep(0)
    connection.stop()
    async with asyncio.timeout(10):
        await ending
    assert not await asyncio.to_thread(left_open)


async def test_the_store_works_on_after_a_user_was_cancelled(path: Path, open_at: Opener) -> None:
    store = await open_at(f"sqlite:///{path.with_name('other.db')}")
    for _ in range(20):
        asking = asyncio.create_task(store.issues.find("daily", date(2026, 3, 12)))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
    assert await store.issues.find("daily", date(2026, 3, 12)) is None


async def test_a_store_that_is_closed_leaves_one_file(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/newsletter.db")
    assert await store.issues.history() == []
    assert (tmp_path / "newsletter.db-wal").exists()
    await store.close()
    assert not (tmp_path / "newsletter.db-wal").exists()
    with closing(sqlite3.connect(tmp_path / "newsletter.db")) as copied:
        assert copied.execute("SELECT count(*) FROM issues").fetchone() == (0,)


async def test_a_statement_is_one_call_of_the_connections_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    execute = Connection._execute

    async def counted(self: Connection, *arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        return await execute(self, *arguments, **options)

    database = connect("sqlite://")
    async with database.write() as connection:
        monkeypatch.setattr(Connection, "_execute", counted)
        found = await connection.execute(sa.text("SELECT 1 UNION SELECT 2"))
        assert [row[0] for row in found] == [1, 2]
        assert calls == 1
        await connection.execute(sa.text("CREATE TABLE t (a)"))
        added = await connection.execute(sa.text("INSERT INTO t VALUES (:a)"), [{"a": 1}, {"a": 2}])
        assert (calls, added.rowcount) == (3, 2)
        one = await connection.execute(sa.text("INSERT INTO t VALUES (3) RETURNING a"))
        assert (one.scalar(), calls) == (3, 4)
    await database.close()


@pytest.fixture
async def calls(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Database, list[str]]]:
    """A database whose connections are open, and the names of what its threads are asked to do from now on."""
    database, asked = connect(f"sqlite:///{path}"), list[str]()
    async with database.read() as reading, database.write() as writing:
        await reading.execute(sa.text("SELECT 1"))
        await writing.execute(sa.text("SELECT 1"))
    ask = aiosqlite.Connection._execute

    async def counted(self: aiosqlite.Connection, act: Callable[..., object], *rest: object) -> object:
        asked.append(getattr(act, "__qualname__", ""))
        return await ask(self, act, *rest)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(aiosqlite.Connection, "_execute", counted)
    yield database, asked
    await database.close()


async def _numbers(connection: AsyncConnection) -> list[int]:
    return list(await connection.scalars(sa.text("SELECT number FROM one ORDER BY number")))


async def test_what_is_read_at_once_takes_one_call_of_the_thread(calls: tuple[Database, list[str]]) -> None:
    database, asked = calls

    async def twice(connection: AsyncConnection) -> list[int]:
        return await _numbers(connection) + await _numbers(connection)

    assert await database.read_at_once(twice) == []
    assert len(asked) == 1


async def test_what_is_written_at_once_takes_two_calls_and_is_there(
    calls: tuple[Database, list[str]],
) -> None:
    database, asked = calls

    async def write(connection: AsyncConnection) -> list[int]:
        for number in (2, 1):
            await connection.execute(sa.text("INSERT INTO one VALUES (:number)"), {"number": number})
        await asyncio.sleep(0)  # as what is long may do; nobody else has a turn in the thread
        return await _numbers(connection)

    assert await database.write_at_once(write) == [1, 2]
    assert len(asked) == 2
    assert await database.read_at_once(_numbers) == [1, 2]


async def test_what_fails_at_once_is_rolled_back_and_the_next_is_not(path: Path) -> None:
    database = connect(f"sqlite:///{path}")

    async def write(connection: AsyncConnection, wait: Awaitable[object] | None) -> None:
        await connection.execute(sa.text("INSERT INTO one VALUES (1)"))
        if wait:
            await wait
        await connection.execute(sa.text("INSERT INTO one VALUES (2)"))

    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    with pytest.raises(RuntimeError, match="waits for nothing but its connection"):
        await database.write_at_once(lambda connection: write(connection, never))
    assert await database.read_at_once(_numbers) == []
    await database.write_at_once(lambda connection: write(connection, None))
    assert await database.read_at_once(_numbers) == [1, 2]
    await database.close()


async def test_who_is_cancelled_breaks_off_a_slow_statement_and_the_connection_is_of_use_again(path: Path) -> None:
    database, begun = connect(f"sqlite:///{path}"), threading.Event()
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n LIMIT 1"

    async def write(connection: AsyncConnection) -> None:
        await connection.execute(sa.text("INSERT INTO one VALUES (1)"))
        begun.set()
        await connection.execute(sa.text(slow))

    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    writing = asyncio.create_task(database.write_at_once(write))
    await asyncio.to_thread(begun.wait, 10)
    await asyncio.sleep(0.1)
    async with asyncio.timeout(10):
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()
        assert await database.write_at_once(_numbers) == []
    await database.close()
    del writing
    gc.collect()
    assert not unheard  # else each such end is a traceback in the log
