"""Which workers live. The operating system holds the proof, so a killed process is known as dead at once.

Beside PostgreSQL, `newsletter.store.session_workers` says it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.store.engine import store_errors


class Workers(Protocol):
    """Registers living workers and tells the dead from them."""

    def register(self, kind: str) -> AbstractAsyncContextManager[str]:
        """Give a name that counts as alive until the context ends or the process does; `kind` is what it does."""
        ...

    async def confirm(self, connection: AsyncConnection, name: str) -> None:
        """Make sure that a worker of this process still counts as alive, until the transaction ends.

        Raises:
            LostWorkerError: it does not; what it held may be somebody else's by now.
        """
        ...

    async def dead(self, names: Collection[str]) -> set[str]:
        """Return those of the names that no living process bears."""
        ...

    async def bury(self, connection: AsyncConnection, names: Collection[str]) -> set[str]:
        """Return those of the names that are dead, and let none of them live again, once this is committed.

        Args:
            connection: in the transaction that takes away what they held.
            names: of workers that `dead` returned.
        """
        ...


def new_name() -> str:
    """Return a name for a worker of this process that no other ever bears."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"


class LocalWorkers(Workers):
    """Workers of a store that lives and dies with this process."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    @override
    @asynccontextmanager
    async def register(self, kind: str) -> AsyncIterator[str]:
        name = new_name()
        self._names.add(name)
        try:
            yield name
        finally:
            self._names.discard(name)

    @override
    async def confirm(self, connection: AsyncConnection, name: str) -> None:
        """Nothing can take the name away."""

    @override
    async def dead(self, names: Collection[str]) -> set[str]:
        return set(names) - self._names

    @override
    async def bury(self, connection: AsyncConnection, names: Collection[str]) -> set[str]:
        return set(names)


class FileWorkers(Workers):
    """A locked file for each worker (flock(2)); the kernel unlocks it when the process ends, however it ends.

    A process that is stopped (SIGSTOP) keeps what it holds until it goes on or is killed. It could not be fenced
    off: its intents stand in a journal that the ledger does not see before the message has left.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    @asynccontextmanager
    async def register(self, kind: str) -> AsyncIterator[str]:
        name = new_name()
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
    async def confirm(self, connection: AsyncConnection, name: str) -> None:
        """The kernel keeps the lock as long as the process lives."""

    @override
    async def dead(self, names: Collection[str]) -> set[str]:
        """Files that dead workers left are removed, of these names or others."""
        with store_errors(str(self._folder)):
            left = [path for path in self._folder.glob("[!.]*") if self._is_free(path)]
            for path in left:
                path.unlink(missing_ok=True)
            return {name for name in names if not (self._folder / name).exists()}

    @override
    async def bury(self, connection: AsyncConnection, names: Collection[str]) -> set[str]:
        """Nobody can lock a file again that is gone."""
        return set(names)

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
