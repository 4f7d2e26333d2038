"""Connections to SQLite that end when they are asked to, whatever they wait for.

Each has a thread of its own (aiosqlite), which is asked to do one thing after another. What lasts long there
would hold up the end of the process: a statement, the wait for another process's lock, a thread that is asked
for something when it has ended already.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from contextvars import copy_context
from functools import partial
from time import monotonic
from typing import Any, Self, TypeVar

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

# SQLite's own wait for a lock can't be interrupted, so it is asked to wait for short spells, again and again.
SPELL = 0.5  # seconds

# The option of a connection that makes its next transactions those of a writer.
WRITES = "newsletter_writes"

# Set for a transaction whose commit does not wait for the disk.
NOT_DURABLE = {"not_durable": True}

# FULL: what `record` has written survives a power cut, so nobody is mailed again after one. It costs an fsync per
# commit, and commits are grouped. NORMAL leaves it to the next such commit (https://www.sqlite.org/wal.html).
_FULL, _NORMAL = "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL"

Result = TypeVar("Result")


class Patience:
    """How long locks of other processes are waited for; `seconds` at most, and no longer once it is ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ended = False

    def end(self) -> None:
        """Wait no more: who waits now, or comes later, finds a locked database locked."""
        self.ended = True

    def until_free(self, act: Callable[[], object]) -> None:
        """Do something with a database as soon as no other process locks it.

        Raises:
            sqlite3.OperationalError: it was still locked at the end, or something else is wrong.
        """
        deadline = monotonic() + self.seconds
        while True:
            try:
                act()
            except sqlite3.OperationalError as error:
                if not _is_locked(error) or self.ended or monotonic() >= deadline:
                    raise
            else:
                return


def _is_locked(error: sqlite3.OperationalError) -> bool:
    # The low byte is the kind of an error, the others its details (https://www.sqlite.org/rescode.html).
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class Cursor:
    """What SQLAlchemy asks of a cursor, with one call of the connection's thread for each statement.

    aiosqlite's own cursor needs four: to begin, to execute, to fetch, to close. At each, whoever asks waits for a
    turn of the event loop, which may be busy sending mail.
    """

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        """Return the cursor; nothing is asked of the thread yet."""
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        """Run a statement and fetch all rows that it gives."""
        return await self._run(lambda cursor: cursor.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        """Run a statement with many parameters."""
        return await self._run(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        """Return the rows of the last statement."""
        found, self._rows = self._rows, []
        return found

    async def close(self) -> None:
        """Let go of rows; the thread has let go of its cursor already."""
        self._rows = []

    async def _run(self, act: Callable[[sqlite3.Cursor], object]) -> Self:
        self._rows, self.description, self.rowcount, self.lastrowid = await self._connection.with_cursor(act)
        return self


class Connection(aiosqlite.Connection):
    """A connection that can be closed at any moment, and more than once.

    aiosqlite's own waits for ever if it is stopped while it is being closed: its thread has ended before the
    second request reaches it. SQLAlchemy does so to each connection whose user is cancelled twice.
    """

    _last: asyncio.Future[Any] | None = None
    _opened: sqlite3.Connection | None = None

    def open(self, database: str, **options: Any) -> sqlite3.Connection:
        """Open the database, in the thread; takes what `sqlite3.connect` takes."""
        self._opened = sqlite3.connect(database, **options)
        return self._opened

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread, once, and break off the statement that it is at; what that began is rolled back."""
        if self._running:
            self._interrupt()
            # aiosqlite does not know what was opened for a user who is cancelled meanwhile.
            self._tx.put_nowait((None, self._close_opened))
            self._last = super().stop()
        return self._last

    async def close(self) -> None:
        """Break off what is going on, and return when the thread has ended.

        The last connection to close moves the write-ahead log into the database, so that the database is one file.
        """
        self._interrupt()
        with suppress(sqlite3.Error, ValueError):  # ValueError: it is closed already
            # SQLite forgets that it was interrupted when a statement begins; until then it would move nothing.
            await self.execute("SELECT 1")
        if self._running:
            await super().close()
        elif self._last:  # it was stopped meanwhile
            await self._last

    def cursor(self) -> Cursor:  # type: ignore[override]  # as much of one as SQLAlchemy needs
        """Return a cursor."""
        return Cursor(self)

    async def with_cursor(self, act: Callable[[sqlite3.Cursor], object]) -> tuple[list[Any], Any, int, int | None]:
        """Do something with a cursor of the thread; return its rows, their description, and what SQLite counts."""

        def run() -> tuple[list[Any], Any, int, int | None]:
            with closing(self._conn.cursor()) as cursor:
                act(cursor)
                rows = cursor.fetchall() if cursor.description else []
                return rows, cursor.description, cursor.rowcount, cursor.lastrowid

        return await self._execute(run)  # type: ignore[no-any-return]

    async def execute_all(self, statements: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Run statements with their parameters one after the other, in one call of the thread."""

        def run() -> None:
            for sql, parameters in statements:
                self._conn.execute(sql, parameters).close()

        await self._execute(run)

    async def run_there(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run a coroutine in the thread, from its beginning to its end, in one call.

        Args:
            work: makes the coroutine, which waits for nothing but this connection.

        Raises:
            RuntimeError: it waited for something else.
        """
        context = copy_context()
        asked = asyncio.ensure_future(self._execute(lambda: context.run(_run_to_its_end, work())))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            # The thread is at work with what its caller would let go of now.
            asked.add_done_callback(_look_at)
            self._interrupt()
            await asyncio.wait([asked])
            raise

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do something in the thread: at once, if it is the thread that asks."""
        if threading.current_thread() is self._thread:
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _close_opened(self) -> None:
        if self._opened is not None and self._connection is None:
            self._opened.close()

    def _interrupt(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.ProgrammingError):  # the thread has closed it this moment
                self._connection.interrupt()


def _look_at(ended: asyncio.Future[Any]) -> None:
    """Take note of what broken off work came to, which nobody waits for; asyncio would log that as a mistake."""
    if not ended.cancelled():
        ended.exception()


def _run_to_its_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine without an event loop; it may give way, but never has to wait."""
    try:
        while work.send(None) is None:
            pass
        work.throw(RuntimeError("a transaction in one call waits for nothing but its connection"))
    except StopIteration as end:
        result: Result = end.value
        return result
    raise RuntimeError("a transaction in one call went on waiting")


def connect(database: str, **options: Any) -> Connection:
    """Return a connection to a database; awaiting it opens it. It takes what `sqlite3.connect` takes."""
    options.pop("check_same_thread", None)  # its thread is the only one that uses it
    connection = Connection(lambda: connection.open(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 (as SQLAlchemy does: the end of the process waits for no other)
    return connection


def prepare_connections(engine: AsyncEngine, pragmas: Sequence[str], waiting: Patience, *, writes: bool) -> None:
    """Make connections set pragmas when they open, begin transactions in the given way, and end with the store.

    Args:
        engine: opens the connections.
        pragmas: what follows the word PRAGMA, such as `foreign_keys = 1`.
        waiting: how long locks of others are waited for; it ends when the store is closed.
        writes: whether a transaction waits for others who write at its beginning, not at its first statement.
    """

    def set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            waiting.until_free(partial(cursor.execute, f"PRAGMA {pragma}"))
        cursor.close()

    def begin(connection: sa.Connection) -> None:
        # Straight to the driver: by way of a cursor it would cross over to its thread three times.
        driver: Any = connection.connection.dbapi_connection
        synced = _NORMAL if NOT_DURABLE.keys() <= connection.get_execution_options().keys() else _FULL
        is_writing = connection.get_execution_options().get(WRITES, writes)
        script = f"{synced}; BEGIN IMMEDIATE" if is_writing else "BEGIN"
        try:
            waiting.until_free(lambda: driver.run_async(lambda opened: opened.executescript(script)))
        except asyncio.CancelledError:
            connection.invalidate()  # else the pool gets it back, and its thread begins a transaction yet
            raise

    def give_back(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if waiting.ended:  # the pool was closed meanwhile: it keeps what it gets, and closes it no more
            entry.invalidate()

    sa.event.listen(engine.sync_engine, "connect", set_pragmas)
    sa.event.listen(engine.sync_engine, "begin", begin)
    sa.event.listen(engine.sync_engine, "checkin", give_back)
