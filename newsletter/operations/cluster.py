"""What delivers from one ledger, on one machine or many: workers, the jobs that wait for them, relays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.core.errors import StoreError
from newsletter.core.jobs import Queue
from newsletter.core.text import counted
from newsletter.ports import JobCounts, LiveWorker, LiveWorkers, Oversight, QueueCount

# A worker takes a job within seconds; one that restarts is back within a minute.
SOON = timedelta(minutes=2)
_ENOUGH_DIGITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """What delivers, at a moment.

    Attributes:
        workers: those that live, on whatever machine.
        queues: how each queue stands that has jobs.
        rates: how many mails each relay took a second in the last minute; only those that took any.
        trouble: why it is not known how queues stand, or nothing.
        mails_wait: whether mails to single persons wait for a worker; else a scheduler sends them if none lives.
    """

    workers: Sequence[LiveWorker] = ()
    queues: Sequence[QueueCount] = ()
    rates: Mapping[str, float]
    trouble: str = ""
    mails_wait: bool = True

    @property
    def busy(self) -> int:
        """Return how many chunks are delivered now."""
        return sum(one.busy for one in self.workers)

    def unserved(self, now: datetime, patience: timedelta = SOON) -> dict[str, datetime]:
        """Return since when jobs of queues are due that no living worker takes, by queue.

        Args:
            now: the present moment, aware.
            patience: for how long a job may be due before it counts.
        """
        served = {queue for one in self.workers for queue in one.queues}
        if not self.mails_wait:
            served.add(Queue.MAILS)
        return {
            one.queue: one.oldest
            for one in self.queues
            if one.oldest is not None and one.queue not in served and now - one.oldest >= patience
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterReader:
    """Reads what delivers; each answer takes a moment, however many readers there are.

    Attributes:
        oversight: reads the rates of relays.
        workers: knows which of them live.
        jobs: counts what waits for them.
        mails_wait: see `Cluster`.
    """

    oversight: Oversight
    workers: LiveWorkers
    jobs: JobCounts
    mails_wait: bool = True

    async def read(self, now: datetime) -> Cluster:
        """Return what delivers, at a moment (aware).

        Raises:
            StoreError: the ledger cannot be read.
        """
        rates = await self.oversight.relay_rates(now=now)
        workers = await self.workers.alive()
        trouble, queues = "", []
        try:
            queues = await self.jobs.counts()
        except StoreError as error:  # the ledger answers; the tables of jobs are of another version
            trouble = str(error)
        found = {one.relay: one.per_second for one in rates}
        return Cluster(workers=workers, queues=queues, rates=found, trouble=trouble, mails_wait=self.mails_wait)


def rate_in_words(per_second: float) -> str:
    """Return a rate as people read it: `212 mails/s`, `0.07 mails/s`."""
    number = f"{per_second:,.0f}" if per_second >= _ENOUGH_DIGITS else f"{per_second:.2g}"
    return f"{number} mails/s"


def jobs_in_words(queue: QueueCount) -> str:
    """Return how a queue stands: `3 jobs due, 12 later, 2 at work`."""
    others = ((queue.later, "later"), (queue.doing, "at work"))
    return ", ".join((f"{counted(queue.todo, 'job')} due", *(f"{one:,} {what}" for one, what in others if one)))
