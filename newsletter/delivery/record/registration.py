"""This process as a worker of the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from math import inf

from newsletter.delivery.record.notes import Notes
from newsletter.ports import ClaimedDeliveries

_RECOVERY_EVERY = 5.0  # seconds, while chunks are delivered


@dataclass(slots=True)
class Worker:
    """A worker that is registered: its name, its notes, and how many chunks use it now."""

    name: str
    notes: Notes
    registered: AsyncExitStack
    chunks: int = 0


class Registration:
    """Registers one worker for all chunks of the process, and brings back what dead workers held.

    After a chunk that ended with an error, the next one registers a new worker. The old one ends with the last
    chunk that uses it; what it still held is then brought back like any dead worker's.
    """

    def __init__(
        self,
        outbox: ClaimedDeliveries,
        notes_of: Callable[[str], Notes],
        recover: Callable[[], Awaitable[object]],
    ) -> None:
        """Begin; nothing is registered yet.

        Args:
            outbox: where workers are registered.
            notes_of: makes the notes of a worker, by its name.
            recover: brings back what dead workers held.
        """
        self._outbox = outbox
        self._notes_of = notes_of
        self._recover = recover
        self._worker: Worker | None = None
        self._recovered_at = -inf  # in the loop's time
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[Worker]:
        """Give the worker for one chunk.

        Dead workers are looked for when it is registered, and now and then from then on.

        Raises:
            StoreError: the ledger or a journal can't be read or written.
        """
        worker = await self._current()
        worker.chunks += 1
        try:
            yield worker
        except BaseException:
            if self._worker is worker:
                self._worker = None
            raise
        finally:
            worker.chunks -= 1
            if not worker.chunks and self._worker is not worker:
                await _end(worker)

    async def end(self) -> None:
        """Let the worker end with the last chunk that uses it, or now.

        Raises:
            StoreError: what it noted could not be written.
        """
        worker, self._worker = self._worker, None
        if worker and not worker.chunks:
            await _end(worker)

    async def _current(self) -> Worker:
        loop = asyncio.get_running_loop()
        async with self._one_at_a_time:
            worker = None
            while worker is None or worker is not self._worker:  # a chunk that fails may end it meanwhile
                worker = self._worker or await self._register()
                if loop.time() - self._recovered_at >= _RECOVERY_EVERY:
                    await self._recover()
                    self._recovered_at = loop.time()
            return worker

    async def _register(self) -> Worker:
        registered = AsyncExitStack()
        name = await registered.enter_async_context(self._outbox.worker())
        self._worker = worker = Worker(name, self._notes_of(name), registered)
        self._recovered_at = -inf
        return worker


async def _end(worker: Worker) -> None:
    """Write what is noted, and register the worker no more, even if that fails: then its journal is read."""
    try:
        await worker.notes.drain()
    finally:
        await worker.registered.aclose()
