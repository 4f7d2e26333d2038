"""The composition of what tells how a cluster does. It stands above the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from newsletter.ports import JobCounts

if TYPE_CHECKING:
    from newsletter.bootstrap import Program
    from newsletter.operations.cluster import ClusterReader
    from newsletter.ports import QueueCount, Store
    from newsletter.settings import Settings


class _NoJobs(JobCounts):
    """Nothing waits for workers: each process delivers by itself."""

    @override
    async def counts(self) -> list[QueueCount]:
        return []


def cluster_reader(program: Program) -> ClusterReader:
    """Return what reads which workers live, what waits for them, and how quickly relays take mail."""
    return cluster_of(program.settings, program.store, program.jobs)


def cluster_of(settings: Settings, store: Store, jobs: JobCounts | None) -> ClusterReader:
    """Return the same of a ledger and the jobs for workers, without a program; None: there are no workers."""
    from newsletter.operations.cluster import ClusterReader

    return ClusterReader(
        oversight=store.oversight,
        workers=store.live_workers,
        jobs=jobs or _NoJobs(),
        mails_wait=settings.delivery.dispatcher == "procrastinate",
    )
