"""Those that deliver an issue together: this process, if it does, and those that it has started."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.processes import share
from newsletter.delivery.processes.child import Child, ProcessDiedError
from newsletter.ports import ChunkDelivery, ChunkReport, Message, Progress

log = structlog.get_logger(__name__)


class DeliveryHere(ChunkDelivery, Protocol):
    """Delivers in this process, and keeps sessions and a worker until it is closed."""

    async def close(self) -> None:
        """End what is kept; another chunk begins it anew.

        Raises:
            StoreError: what was noted could not be written.
        """
        ...


StartChild = Callable[[int], Awaitable[Child]]  # starts the process at a place, from 0; raises OSError

_MOST_DEATHS = 3  # of processes that are replaced; what kills more than that kills each


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be delivered, in the words of `ports.ChunkDelivery`."""

    issue_key: int
    message_for: Callable[[int], Awaitable[Message]]
    most: int | None
    due_by: datetime | None
    stop: asyncio.Event
    progress: Together | None


class Together(Progress):
    """Counts how many deliveries are open still, whoever of several settles them.

    Args:
        progress: is called for each delivery.
        remaining: how many are open when it begins.
    """

    def __init__(self, progress: Progress, remaining: int) -> None:
        self._progress = progress
        self._remaining = remaining

    @override
    def delivered(self, outcome: Outcome, remaining: int) -> None:
        """Pass one on. What one of several says remains is not known to it."""
        self._remaining = max(0, self._remaining - 1)
        self._progress.delivered(outcome, self._remaining)

    def settled(self, states: dict[str, int]) -> None:
        """Pass on how many were settled in each state."""
        for state, number in states.items():
            for _ in range(number):
                self.delivered(Outcome(DeliveryState(state)), 0)


class Deaths:
    """Counts processes that have died or did not start."""

    def __init__(self) -> None:
        self.count = 0

    @property
    def are_too_many(self) -> bool:
        """Return whether it is of no use to start one more."""
        return self.count > _MOST_DEATHS


class Member(Protocol):
    """One of those that deliver together."""

    @property
    def busy(self) -> int:
        """Return how many chunks it has."""
        ...

    async def deliver(self, work: Work, most: int | None, stop: asyncio.Event) -> ChunkReport:
        """Deliver some work, `most` deliveries at most, until `stop` is set.

        Raises:
            StoreError: the ledger can't be read or written.
        """
        ...

    async def end(self) -> None:
        """End what is kept for the next chunk."""
        ...


class Here(Member):
    """This process; `delivery` has its share."""

    def __init__(self, delivery: DeliveryHere) -> None:
        self._delivery = delivery
        self._busy = 0

    @property
    @override
    def busy(self) -> int:
        return self._busy

    @override
    async def deliver(self, work: Work, most: int | None, stop: asyncio.Event) -> ChunkReport:
        self._busy += 1
        try:
            return await self._delivery.deliver_chunk(
                work.issue_key,
                work.message_for,
                most=most,
                due_by=work.due_by,
                progress=work.progress,
                stop=stop,
            )
        finally:
            self._busy -= 1

    @override
    async def end(self) -> None:
        await self._delivery.close()


class Place(Member):
    """A place for another process, which is started when it is needed, and replaced when it has died."""

    def __init__(self, number: int, start: StartChild, deaths: Deaths) -> None:
        self._number = number
        self._start = start
        self._deaths = deaths
        self._one_at_a_time = asyncio.Lock()
        self._child: Child | None = None

    @property
    @override
    def busy(self) -> int:
        return self._child.busy if self._child else 0

    @override
    async def deliver(self, work: Work, most: int | None, stop: asyncio.Event) -> ChunkReport:
        due_by = work.due_by.isoformat() if work.due_by else None
        report, told = ChunkReport(), Counter[str]()

        def settled(states: dict[str, int]) -> None:
            told.update(states)
            if work.progress:
                work.progress.settled(states)

        while not self._deaths.are_too_many:
            left = None if most is None else most - report.settled
            if left == 0 or stop.is_set():
                break
            try:
                child = await self._living()
                last = await child.deliver(work.issue_key, most=left, due_by=due_by, settled=settled, stop=stop)
                return added(report, last)
            except ProcessDiedError:
                self._deaths.count += 1
                # What it did not come to tell stands in the ledger: the next one recovers it.
                report = added(report, report_of(told))
                told.clear()
            except OSError as error:
                self._deaths.count += 1
                log.warning("delivery_process_not_started", reason=str(error))
        return report

    @override
    async def end(self) -> None:
        async with self._one_at_a_time:
            child, self._child = self._child, None
            if child:
                await child.end()

    async def _living(self) -> Child:
        """Return the process; start it if there is none.

        Raises:
            OSError: there is no room for one more.
        """
        async with self._one_at_a_time:
            if self._child is None or not self._child.lives:
                self._child = await self._start(self._number)
            return self._child


class Team:
    """Delivers chunks by several processes. When too many of them have died, it is broken."""

    def __init__(self, here: DeliveryHere | None, numbers: Iterable[int], start: StartChild) -> None:
        """Begin; no process is started yet.

        Args:
            here: delivers in this process; None: this process has other things to do.
            numbers: the places of the others.
            start: starts the process at a place.
        """
        self._deaths = Deaths()
        places = [Place(number, start, self._deaths) for number in numbers]
        self._members: list[Member] = [*([Here(here)] if here else []), *places]

    @property
    def is_broken(self) -> bool:
        """Return whether processes die or don't start, and the work is better done without them."""
        return self._deaths.are_too_many

    async def deliver_together(self, work: Work) -> ChunkReport:
        """Deliver by all, each as much as it can.

        Raises:
            StoreError: one of them can't read or write the ledger. All others have stopped.
        """
        count, stop = len(self._members), asyncio.Event()
        mosts = [None if work.most is None else share(work.most, place, count) for place in range(count)]
        tasks = [
            asyncio.create_task(member.deliver(work, most, stop))
            for member, most in zip(self._members, mosts, strict=True)
            if most is None or most
        ]
        stopping = asyncio.create_task(_set_when_set(work.stop, stop))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            stop.set()
            await asyncio.wait(tasks)
        finally:
            stopping.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if errors := [error for task in tasks if (error := task.exception())]:
            raise errors[0]
        return added(*(task.result() for task in tasks))

    async def deliver_by_one(self, work: Work) -> ChunkReport:
        """Deliver by the one that has least to do.

        Raises:
            StoreError: it can't read or write the ledger.
        """
        idlest = min(self._members, key=lambda member: member.busy)
        return await idlest.deliver(work, work.most, work.stop)

    async def end(self) -> None:
        """End all processes, and what this one keeps for the next chunk.

        Raises:
            StoreError: what was noted could not be written.
        """
        await asyncio.gather(*(member.end() for member in self._members))


def report_of(states: Mapping[str, int]) -> ChunkReport:
    """Return the report that so many deliveries come to, by state."""
    return ChunkReport(
        sent=states.get(DeliveryState.SENT, 0),
        deferred=states.get(DeliveryState.DEFERRED, 0),
        refused=states.get(DeliveryState.REFUSED, 0),
        uncertain=states.get(DeliveryState.UNCERTAIN, 0),
    )


def added(*reports: ChunkReport) -> ChunkReport:
    """Return what reports of several come to together."""
    return ChunkReport(
        sent=sum(one.sent for one in reports),
        deferred=sum(one.deferred for one in reports),
        refused=sum(one.refused for one in reports),
        uncertain=sum(one.uncertain for one in reports),
        returned=sum(one.returned for one in reports),
        trouble=next((one.trouble for one in reports if one.trouble), ""),
        waiting=next((one.waiting for one in reports if one.waiting), ""),
    )


async def _set_when_set(one: asyncio.Event, other: asyncio.Event) -> None:
    await one.wait()
    other.set()
