"""Work that one process does at a time: a lock that ends with the process, beside SQLite and in PostgreSQL."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import sqlalchemy as sa
from typing_extensions import override

from newsletter.ports import Turns
from newsletter.store.engine import Database, store_errors


class SqlTurns(Turns):
    """An advisory lock of a session of its own in PostgreSQL; beside a file, a locked file (flock(2))."""

    def __init__(self, database: Database, folder: Path | None) -> None:
        """Take the database, and the folder for lock files; None: nobody else can use it, or it is PostgreSQL."""
        self._database = database
        self._folder = folder
        self._here: set[str] = set()  # what this process is at

    @override
    @asynccontextmanager
    async def alone(self, work: str) -> AsyncIterator[bool]:
        if work in self._here:
            yield False
            return
        self._here.add(work)
        try:
            if self._database.is_postgresql:
                async with self._locked_session(work) as is_ours:
                    yield is_ours
            elif self._folder is not None:
                with _locked_file(self._folder, work) as is_ours:
                    yield is_ours
            else:
                yield True
        finally:
            self._here.discard(work)

    @asynccontextmanager
    async def _locked_session(self, work: str) -> AsyncIterator[bool]:
        with store_errors(self._database.where):
            connection = await self._database.apart.connect()
        try:
            with store_errors(self._database.where):
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                is_ours = await connection.scalar(_LOCK, {"work": f"alone {work}"})
            yield bool(is_ours)
        finally:
            await connection.close()  # it is nobody else's: the session ends, and the lock with it


_LOCK = sa.text("SELECT pg_try_advisory_lock(hashtextextended(:work, 0))")


@contextmanager
def _locked_file(folder: Path, work: str) -> Iterator[bool]:
    with store_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / f".{work}", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
