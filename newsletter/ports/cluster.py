"""What delivers, as operators see it: which workers live, what waits for them, how quickly relays take mail."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorker:
    """A process that delivers. Moments are aware, UTC.

    Attributes:
        name: in the ledger; no other process ever bears it.
        kind: what was started, such as `worker`.
        host: the machine that it runs on.
        version: of the program.
        started_at: when it registered.
        seen_at: when it last gave a sign of life.
        concurrency: how many chunks it delivers at once.
        queues: whose jobs it takes; none where it takes no jobs.
        busy: how many chunks it delivers now.
    """

    name: str
    kind: str
    host: str
    version: str
    started_at: datetime
    seen_at: datetime
    concurrency: int
    queues: tuple[str, ...]
    busy: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCount:
    """How many jobs of a queue wait, how many of them are due, and how many are at work.

    Attributes:
        queue: its name.
        todo: how many could be taken now.
        later: how many are for a later moment.
        doing: how many a worker has in hand.
        oldest: since when the oldest is due that nobody has taken (aware, UTC); None: none is.
    """

    queue: str
    todo: int
    later: int
    doing: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRate:
    """How many mails a relay took a second, lately."""

    relay: str
    per_second: float


class JobCounts(Protocol):
    """Counts the jobs that wait for workers."""

    async def counts(self) -> list[QueueCount]:
        """Return how each queue stands that has jobs, by its name.

        Raises:
            StoreError: the database cannot be read.
        """
        ...


class LiveWorkers(Protocol):
    """Knows which workers live, on whatever machine."""

    async def alive(self) -> list[LiveWorker]:
        """Return the workers that live, those that began first at the head.

        Raises:
            StoreError: the database cannot be read.
        """
        ...


class WorkerRegister(LiveWorkers, Protocol):
    """Knows which workers live, as they say it themselves."""

    def register(
        self, kind: str, *, concurrency: int, queues: Collection[str] = (), busy: Callable[[], int] = int
    ) -> AbstractAsyncContextManager[None]:
        """Let this process be known as a worker for as long as the context lasts.

        Args:
            kind: what was started, such as `worker`.
            concurrency: how many chunks it delivers at once, one at least.
            queues: whose jobs it takes.
            busy: says how many chunks it delivers now; it is asked now and then.
        """
        ...
