"""The composition of what tells how a cluster does. It stands above the root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from newsletter.ports import JobCounts

if TYPE_CHECKING:
    from newsletter.bootstrap import Program
    from newsletter.operations.cluster import ClusterReader
    from newsletter.ports import QueueCount


class _NoJobs(JobCounts):
    """Nothing waits for workers: each process delivers by itself."""

    @override
    async def counts(self) -> list[QueueCount]:
        return []


def cluster_reader(program: Program) -> ClusterReader:
    """Return what reads which workers live, what waits for them, and how quickly relays take mail."""
    from newsletter.operations.cluster import ClusterReader

    store = program.store
    return ClusterReader(oversight=store.oversight, workers=store.live_workers, jobs=program.jobs or _NoJobs())
