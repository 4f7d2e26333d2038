"""Connections to SQLite that end when they are asked to, whatever they wait for.

Each has a thread of its own (aiosqlite), which is asked to do one thing after another. What lasts long there
would hold up the end of the process: a statement, the wait for another process's lock, a thread that is asked
for something when it has ended already.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import aiosqlite

# SQLite's own wait for a lock can't be interrupted, so it is asked to wait for short spells, again and again.
SPELL = 0.5  # seconds


class Patience:
    """How long locks of other processes are waited for; `seconds` at most, and no longer once it is ended."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ended = False

    def end(self) -> None:
        """Wait no more: who waits now, or comes later, finds a locked database locked."""
        self._ended = True

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
                if not _is_locked(error) or self._ended or monotonic() >= deadline:
                    raise
            else:
                return


def _is_locked(error: sqlite3.OperationalError) -> bool:
    # The low byte is the kind of an error, the others its details (https://www.sqlite.org/rescode.html).
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class Connection(aiosqlite.Connection):
    """A connection that can be closed at any moment, and more than once.

    aiosqlite's own waits for ever if it is stopped while it is being closed: its thread has ended before the
    second request reaches it. SQLAlchemy does so to each connection whose user is cancelled twice.
    """

    _last: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread, once, and break off the statement that it is at; what that began is rolled back."""
        if self._running:
            self._interrupt()
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
        await super().close()

    async def execute_all(self, statements: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Run statements with their parameters one after the other, in one call of the thread."""

        def run() -> None:
            for sql, parameters in statements:
                self._conn.execute(sql, parameters).close()

        await self._execute(run)  # type: ignore[no-untyped-call]

    def _interrupt(self) -> None:
        if self._connection is not None:
            self._connection.interrupt()


def connect(database: str, **options: Any) -> Connection:
    """Return a connection to a database; awaiting it opens it. It takes what `sqlite3.connect` takes."""
    options.pop("check_same_thread", None)  # its thread is the only one that uses it
    connection = Connection(lambda: sqlite3.connect(database, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 (as SQLAlchemy does: the end of the process waits for no other)
    return connection
