"""Which workers live. The operating system holds the proof, so a killed process is known as dead at once."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.store.engine import Database, store_errors


class Workers(Protocol):
    """Registers living workers and tells the dead from them."""

    def register(self) -> AbstractAsyncContextManager[str]:
        """Give a name that counts as alive until the context ends or the process does."""
        ...

    async def confirm(self, name: str) -> None:
        """Make sure that a worker of this process still counts as alive.

        Raises:
            StoreError: it does not; what it held may be somebody else's by now.
        """
        ...

    async def dead(self, names: Collection[str]) -> set[str]:
        """Return those of the names that no living process bears."""
        ...


def _new_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class LocalWorkers(Workers):
    """Workers of a store that lives and dies with this process."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    @override
    @asynccontextmanager
    async def register(self) -> AsyncIterator[str]:
        name = _new_name()
        self._names.add(name)
        try:
            yield name
        finally:
            self._names.discard(name)

    @override
    async def confirm(self, name: str) -> None:
        """Nothing can take the name away."""

    @override
    async def dead(self, names: Collection[str]) -> set[str]:
        return set(names) - self._names


class FileWorkers(Workers):
    """A locked file for each worker (flock(2)); the kernel unlocks it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    @asynccontextmanager
    async def register(self) -> AsyncIterator[str]:
        name = _new_name()
        with store_errors(str(self._folder)):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / name
            # The file gets its name when it is locked already: nobody ever sees it unlocked.
            unnamed = self._folder / f".{name}"
            lock = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unnamed.rename(path)
        try:
            yield name
        finally:
            path.unlink(missing_ok=True)
            os.close(lock)

    @override
    async def confirm(self, name: str) -> None:
        """The kernel keeps the lock as long as the process lives."""

    @override
    async def dead(self, names: Collection[str]) -> set[str]:
        """Files that dead workers left are removed, of these names or others."""
        with store_errors(str(self._folder)):
            left = [path for path in self._folder.glob("[!.]*") if self._is_free(path)]
            for path in left:
                path.unlink(missing_ok=True)
            return {name for name in names if not (self._folder / name).exists()}

    def _is_free(self, path: Path) -> bool:
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False  # its worker has just ended
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who look don't mislead each other
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(file)


class SessionWorkers(Workers):
    """An advisory lock for each worker, held by a PostgreSQL session of its own, which ends with the process.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS. A pooler in transaction mode
    (PgBouncer) cannot carry them; connect directly.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sessions: dict[str, tuple[AsyncConnection, asyncio.Lock]] = {}

    @override
    @asynccontextmanager
    async def register(self) -> AsyncIterator[str]:
        name = _new_name()
        with store_errors(self._database.where):
            connection = await self._database.writer.connect()
        try:
            with store_errors(self._database.where):
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(
                    sa.select(*_NOTICE_LOST_MACHINES, sa.func.pg_advisory_lock(_number(name)))
                )
            self._sessions[name] = connection, asyncio.Lock()
            yield name
        finally:
            self._sessions.pop(name, None)
            # Not back to the pool: the session ends, and the lock with it.
            await connection.invalidate()
            await connection.close()

    @override
    async def confirm(self, name: str) -> None:
        """The session that holds the lock answers, or it is lost."""
        if name in self._sessions:
            connection, one_at_a_time = self._sessions[name]
            with store_errors(self._database.where):
                async with one_at_a_time:
                    await connection.execute(sa.select(1))

    @override
    async def dead(self, names: Collection[str]) -> set[str]:
        dead = set()
        async with self._database.write() as connection:
            for name in names:
                if await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_number(name)))):
                    dead.add(name)
        return dead


# The server gives up the session of a machine that is gone after about a minute, not after two hours.
_NOTICE_LOST_MACHINES = (
    sa.func.set_config("tcp_keepalives_idle", "30", False),
    sa.func.set_config("tcp_keepalives_interval", "10", False),
    sa.func.set_config("tcp_keepalives_count", "3", False),
)


def _number(name: str) -> sa.ColumnElement[int]:
    return sa.func.hashtextextended(f"worker {name}", 0)
