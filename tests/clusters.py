"""A cluster as pages and alarms see it, in a test's hands: workers and jobs that need no other process."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from typing_extensions import override

from newsletter.core.errors import StoreError
from newsletter.core.jobs import Queue
from newsletter.operations.cluster import ClusterReader
from newsletter.ports import JobCounts, LiveWorker, LiveWorkers, Oversight, QueueCount


@dataclass
class SeenCluster(LiveWorkers, JobCounts):
    """Workers and jobs as a test says."""

    workers: list[LiveWorker] = field(default_factory=list)
    queues: list[QueueCount] = field(default_factory=list)
    trouble: str = ""
    mails_wait: bool = True

    def reader(self, oversight: Oversight) -> ClusterReader:
        """Return what reads them, and the rates of a ledger."""
        return ClusterReader(oversight=oversight, workers=self, jobs=self, mails_wait=self.mails_wait)

    @override
    async def alive(self) -> list[LiveWorker]:
        return self.workers

    @override
    async def counts(self) -> list[QueueCount]:
        if self.trouble:
            raise StoreError(self.trouble)
        return self.queues


def worker(
    host: str, at: datetime, *, queues: tuple[str, ...] = ("issues",), busy: int = 0, version: str = "1.2.3"
) -> LiveWorker:
    """Return a worker that has just given a sign of life."""
    return LiveWorker(
        name=f"{host}-17-0a1b2c3d",
        kind="worker",
        host=host,
        version=version,
        started_at=at,
        seen_at=at,
        concurrency=4,
        queues=queues,
        busy=busy,
    )


def queue(name: str, oldest: datetime | None, *, due: int = 1, later: int = 0, doing: int = 0) -> QueueCount:
    """Return how a queue stands."""
    return QueueCount(queue=Queue(name), todo=due if oldest else 0, later=later, doing=doing, oldest=oldest)
