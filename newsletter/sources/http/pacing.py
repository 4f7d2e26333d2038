"""Keeps time between requests to a service, over all processes on this machine with the same state folder."""

from __future__ import annotations

import asyncio
import fcntl
import heapq
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from newsletter.sources.http.pace import Pace

_POLL = 0.1  # seconds between two looks at a lock that another process holds


class _Queue:
    """Gives a single turn at a time, to the lowest rank first."""

    def __init__(self) -> None:
        self._is_taken = False
        self._order = count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, rank: int) -> AsyncIterator[None]:
        if self._is_taken:
            called = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (rank, next(self._order), called))
            try:
                await called
            except asyncio.CancelledError:
                if called.done() and not called.cancelled():
                    self._next()
                raise
        self._is_taken = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        while self._waiting:
            _, _, called = heapq.heappop(self._waiting)
            if not called.done():
                called.set_result(None)  # the turn passes on
                return
        self._is_taken = False


class Pacer:
    """Gives turns for requests. Without a folder, in this process only.

    Each service has a lock file. It is locked during a request, and holds the time at which the last request
    ended.
    """

    def __init__(
        self, folder: Path | None, *, sleep: Callable[[float], Awaitable[None]], clock: Callable[[], float]
    ) -> None:
        self._folder = folder
        self._sleep = sleep
        self._clock = clock
        self._queues: defaultdict[str, _Queue] = defaultdict(_Queue)
        self._last: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, pace: Pace | None) -> AsyncIterator[None]:
        """Wait for a turn, and keep it until the request is over.

        Raises:
            OSError: the lock file cannot be written.
        """
        if pace is None:
            yield
            return
        async with self._queues[pace.name].turn(pace.rank), self._among_processes(pace.name) as lock:
            last = self._last.get(pace.name, 0.0) if lock is None else _noted(lock)
            # After a clock was set back, no request may wait longer than `seconds`.
            wait = min(last + pace.seconds - self._clock(), pace.seconds)
            if wait > 0:
                await self._sleep(wait)
            try:
                yield
            finally:
                self._note(pace.name, lock)

    def _note(self, name: str, lock: int | None) -> None:
        self._last[name] = self._clock()
        if lock is not None:
            os.pwrite(lock, f"{self._last[name]:<32}".encode(), 0)

    @asynccontextmanager
    async def _among_processes(self, name: str) -> AsyncIterator[int | None]:
        if self._folder is None:
            yield None
            return
        lock = _open(self._folder, name)
        try:
            while not _taken(lock):
                await self._sleep(_POLL)
            yield lock
        finally:
            os.close(lock)  # this unlocks it too


def _open(folder: Path, name: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / f"{name}.lock", os.O_CREAT | os.O_RDWR, 0o644)


def _noted(lock: int) -> float:
    try:
        return float(os.pread(lock, 32, 0))
    except ValueError:  # a new file: there was no request yet
        return 0.0


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
