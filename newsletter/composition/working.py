"""The composition of a worker: what it does for each job. It stands above the root."""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

from newsletter.bootstrap import utc_now

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Collection

    from newsletter.bootstrap import Program
    from newsletter.core.issue import Issue
    from newsletter.core.jobs import Queue
    from newsletter.pipeline.deliver import Delivered
    from newsletter.scheduling.queue.jobs import ProcrastinateJobs
    from newsletter.scheduling.queue.sweeping import Sweep
    from newsletter.scheduling.queue.working import PutOff

_AFTER_TROUBLE = timedelta(seconds=15)  # an issue is tried again, as often as `serve` does it by default
_ISSUES_KEPT = 16
_LONGEST_REASON = 500  # characters


async def work(
    program: Program, jobs: ProcrastinateJobs, queues: Collection[Queue], concurrency: int, stop: asyncio.Event
) -> None:
    """Take jobs of some queues, and look after all jobs, until `stop` is set.

    Args:
        program: the program.
        jobs: the jobs.
        queues: whose jobs are taken.
        concurrency: how many chunks of issues are delivered at once.
        stop: when set, what is in flight is finished, and the jobs go back.
    """
    import asyncio
    from functools import partial

    from newsletter.composition import signing_up
    from newsletter.scheduling.queue.working import Working

    chunks = Chunks(program, jobs)
    working = Working(
        jobs=jobs,
        name=f"{socket.gethostname()}-{os.getpid()}",
        queues=queues,
        concurrency=concurrency,
        deliver=chunks.deliver,
        send=partial(signing_up.send_by_worker, program),
        clock=utc_now,
    )
    register, names = program.store.live_workers.register, [queue.value for queue in queues]
    async with register("worker", concurrency=concurrency, queues=names, busy=lambda: chunks.busy):
        await asyncio.gather(working.until(stop), sweep(program, jobs).until(stop))


def places_by_default(program: Program) -> int:
    """Return how many chunks a worker delivers at once: while one ends and the next begins, another goes out."""
    from newsletter.delivery.messages.signatures import cores
    from newsletter.settings.shares import processes_of

    return 2 * processes_of(program.settings, cores()).count


def sweep(program: Program, jobs: ProcrastinateJobs) -> Sweep:
    """Return what looks after the jobs."""
    from newsletter.scheduling.queue.sweeping import Sweep

    store = program.store
    return Sweep(jobs, store.outbox, store.halts, utc_now, recover=program.here.recover_all)


class Chunks:
    """Delivers chunks of closed issues, by the issues' own terms."""

    def __init__(self, program: Program, jobs: ProcrastinateJobs) -> None:
        """Prepare; a closed issue never changes, so those are kept that were asked for last."""
        self._store, self._jobs = program.store, jobs
        self._delivering = program.delivering()
        self._issues: dict[int, Issue] = {}
        self.busy = 0  # how many are delivered now

    async def deliver(self, issue_key: int, *, at_once: bool, stop: asyncio.Event) -> PutOff | None:
        """Deliver a chunk; see `newsletter.scheduling.queue.working.DeliversChunk`."""
        from newsletter.core.jobs import CHUNK

        issue = await self._issue(issue_key)
        if issue is None:  # a backup was restored that does not know it
            await self._jobs.drop(issue_key)
            return None
        self.busy += 1
        try:
            delivered = await self._delivering.deliver(issue, at_once=at_once, most=CHUNK, stop=stop)
        finally:
            self.busy -= 1
        if delivered.halt:
            await self._jobs.drop(issue_key)
            return None
        return await self._rest(delivered)

    async def _issue(self, key: int) -> Issue | None:
        if key not in self._issues and (issue := await self._store.issues.get(key)):
            self._issues[key] = issue
            while len(self._issues) > _ISSUES_KEPT:
                del self._issues[next(iter(self._issues))]
        return self._issues.get(key)

    async def _rest(self, delivered: Delivered) -> PutOff | None:
        """Return when the rest of an issue is to be delivered, if it can't go on now."""
        from newsletter.core.text import one_line
        from newsletter.scheduling.queue.working import PutOff

        report = delivered.report
        if delivered.waits_until:
            return PutOff(delivered.waits_until, waiting="the issue's hours are over")
        if not (report.trouble or report.waiting):
            return None
        due, now = await self._store.outbox.next_due(delivered.issue.key), utc_now()
        if due is None or due > now:
            return None
        trouble, waiting = (one_line(text, _LONGEST_REASON) for text in (report.trouble, report.waiting))
        return PutOff(now + _AFTER_TROUBLE, trouble=trouble, waiting=waiting)
