"""The dispatcher that leaves deliveries to workers, and waits for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import StoreError
from newsletter.core.jobs import CHUNK, MOST_AT_ONCE, Queue, lacking
from newsletter.ports import (
    ChunkReport,
    Clock,
    Dispatcher,
    IssueJobs,
    JobQueue,
    LiveWorker,
    LiveWorkers,
    Message,
    Outbox,
    Progress,
)

log = structlog.get_logger(__name__)

_FIRST_LOOK, _LOOK = 0.05, 1.0  # seconds from one look at the issue to the next: they grow
_COUNT = 1.0  # seconds from one count of the deliveries to the next, at least
_COUNTING = 10  # the share of the time in which deliveries are counted: one in so many
_PATIENCE = 60.0  # seconds for which jobs may lie there while workers live and do nothing
_LEAVE = 3.0  # seconds in which workers leave an issue that is halted
_SETTLED = (DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN)
_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)

Counts = Mapping[DeliveryState, int]


class ToWorkers(Dispatcher):
    """Hands issues over to workers; where none is at work, or all vanish, this process delivers by `here`."""

    def __init__(
        self,
        jobs: JobQueue,
        workers: LiveWorkers,
        outbox: Outbox,
        here: Dispatcher,
        clock: Clock,
        *,
        waits_for_workers: bool,
    ) -> None:
        """Prepare.

        Args:
            jobs: what workers are asked to do.
            workers: knows which of them live.
            outbox: the ledger's deliveries.
            here: delivers in this process.
            clock: says what is due.
            waits_for_workers: whether to wait for workers where there are none, and never deliver here.
        """
        self._jobs, self._workers, self._outbox, self._here = jobs, workers, outbox, here
        self._clock = clock
        self._waits_for_workers = waits_for_workers

    @override
    async def recover(self, issue_key: int, message_for: Callable[[int], Awaitable[Message]]) -> ChunkReport:
        return await self._here.recover(issue_key, message_for)

    @override
    async def dispatch(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        at_once: bool = False,
        most: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        """`most` is for who delivers here."""
        done = ChunkReport()
        if await self._are_at_work():
            following = _Following(self._outbox, issue_key, progress)
            is_over = await self._by_workers(issue_key, following, stop or asyncio.Event(), at_once=at_once)
            done = await self._report(issue_key, following)
            if is_over:
                return done
            log.warning("workers_vanished", issue=issue_key, reason="this process delivers what is left")
        report = await self._here.dispatch(
            issue_key, message_for, at_once=at_once, most=most, progress=progress, stop=stop
        )
        with suppress(
            StoreError
        ):  # nobody is there to take them; for a worker that begins later, more are written
            await self._jobs.drop(issue_key)
        return replace(
            report,
            sent=report.sent + done.sent,
            deferred=report.deferred + done.deferred,
            refused=report.refused + done.refused,
            uncertain=report.uncertain + done.uncertain,
        )

    async def _are_at_work(self) -> bool:
        """Return whether workers are to deliver."""
        return self._waits_for_workers or bool(await self._serving())

    async def _serving(self) -> list[LiveWorker]:
        """Return the workers that live and take jobs of issues."""
        return [worker for worker in await self._workers.alive() if Queue.ISSUES in worker.queues]

    async def _is_taken(self, stand: IssueJobs) -> bool | None:
        """Return whether workers are at an issue, or at others that come first; None: no worker lives."""
        workers = await self._serving()
        if not workers and not self._waits_for_workers:
            return None
        return bool(stand.doing or any(worker.busy for worker in workers))

    async def _by_workers(self, key: int, following: _Following, stop: asyncio.Event, *, at_once: bool) -> bool:
        """Wait until workers have delivered what is due; return False if they are gone before."""
        now = self._clock()
        if not await self._is_due(key, now) and not (await self._jobs.of_issue(key)).doing:
            return True
        await following.begin()
        await self._jobs.hasten(key, now=now, again=True, at_once=at_once)
        await self._provide(key, at_once=at_once)
        loop = asyncio.get_running_loop()
        pause, taken_at, stopped_at = _FIRST_LOOK, loop.time(), None
        while True:
            stand = await self._jobs.of_issue(key)
            if at_once and stand.waiting and await self._jobs.leave_hours_aside(key):
                continue  # a worker had taken a job before it was hastened, and put it off until the hours begin
            is_due = await self._is_due(key, self._clock())
            if _is_through(stand, is_due=is_due):
                return True
            if stop.is_set():
                stopped_at = stopped_at or loop.time()
                if not stand.doing or loop.time() - stopped_at > _LEAVE:
                    return True
            if is_due and not (stand.doing or stand.todo):  # a job is no more than a hint, and may be lost
                await self._provide(key, at_once=at_once)
            is_taken = await self._is_taken(stand)
            taken_at = loop.time() if is_taken else taken_at
            if is_taken is None or loop.time() - taken_at > _PATIENCE:
                if not self._waits_for_workers:
                    return False
                log.warning("no_worker", issue=key, hint="start `newsletter worker`")
                taken_at = loop.time()
            await following.look()
            with suppress(TimeoutError):
                await asyncio.wait_for(_soon(stop), pause)
            pause = min(1.5 * pause, _LOOK)

    async def _is_due(self, key: int, now: datetime) -> bool:
        due = await self._outbox.next_due(key)
        return due is not None and due <= now

    async def _provide(self, key: int, *, at_once: bool) -> None:
        due = await self._outbox.due_count(key, by=self._clock(), most=CHUNK * MOST_AT_ONCE)
        stand = await self._jobs.of_issue(key)
        jobs = lacking(key, due, stand.todo + stand.doing)
        if jobs:
            log.info("jobs_added", issue=key, jobs=len(jobs))
            await self._jobs.add(jobs, at_once=at_once)

    async def _report(self, key: int, following: _Following) -> ChunkReport:
        """Return what became of the issue's deliveries since `following` began."""
        settled = await following.end()
        stand = await self._jobs.of_issue(key)
        left = await self._outbox.due_count(key, by=self._clock(), most=CHUNK * MOST_AT_ONCE)
        return ChunkReport(
            sent=settled[DeliveryState.SENT],
            deferred=settled[DeliveryState.DEFERRED],
            refused=settled[DeliveryState.REFUSED],
            uncertain=settled[DeliveryState.UNCERTAIN],
            returned=left,
            trouble=stand.trouble if left else "",
            waiting=stand.waiting,
        )


def _is_through(stand: IssueJobs, *, is_due: bool) -> bool:
    """Return whether no worker does any more of an issue for now."""
    if stand.doing:
        return False
    was_put_off = bool(stand.trouble or stand.waiting)
    return not is_due or (was_put_off and not stand.todo)


async def _soon(stop: asyncio.Event) -> None:
    """Wait for `stop`; for ever, if it is set already: what is done then takes a moment."""
    if stop.is_set():
        await asyncio.Event().wait()
    await stop.wait()


@dataclass(slots=True)
class _Following:
    """How an issue's deliveries change while others work on it."""

    outbox: Outbox
    issue_key: int
    progress: Progress | None
    first: Counts | None = None
    shown: Counts | None = None
    next_at: float = 0.0

    async def begin(self) -> None:
        """Count for the first time."""
        self.first = self.shown = await self._count()

    async def look(self) -> None:
        """Pass on what was settled meanwhile, if somebody wants to know and it is time to count again."""
        if self.progress is not None and asyncio.get_running_loop().time() >= self.next_at:
            self._show(await self._count())

    async def end(self) -> dict[DeliveryState, int]:
        """Return how many deliveries have come into each state in which one is settled."""
        if self.first is None:
            return dict.fromkeys(_SETTLED, 0)
        last = await self._count()
        self._show(last)
        return {state: max(last[state] - self.first[state], 0) for state in _SETTLED}

    async def _count(self) -> Counts:
        loop = asyncio.get_running_loop()
        began = loop.time()
        counts = await self.outbox.counts(self.issue_key)
        self.next_at = loop.time() + max(_COUNT, _COUNTING * (loop.time() - began))
        return counts

    def _show(self, counts: Counts) -> None:
        if self.progress is None or self.shown is None:
            return
        settled = [state for state in _SETTLED for _ in range(counts[state] - self.shown[state])]
        remaining = sum(counts[state] for state in _OPEN) + len(settled)
        for number, state in enumerate(settled, 1):
            self.progress.delivered(Outcome(state), remaining - number)
        self.shown = counts
