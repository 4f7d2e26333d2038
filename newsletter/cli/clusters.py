"""What `status` says of workers, of the jobs that wait for them, and of the rates of relays."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from newsletter.cli.moments import minute
from newsletter.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from newsletter.operations.cluster import Cluster
    from newsletter.ports import LiveWorker


def rate_of(cluster: Cluster, relay: str) -> str:
    """Return what to add to how a relay stands: how quickly it takes mail, or nothing if it took none lately."""
    from newsletter.operations.cluster import rate_in_words

    rate = cluster.rates.get(relay)
    return f"; {rate_in_words(rate)} in the last minute" if rate else ""


def cluster_facts(cluster: Cluster, at: datetime, zone: str) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a cluster: what it is about, and how it stands.

    Args:
        cluster: what delivers.
        at: the present moment, aware.
        zone: by whose clocks times are said (an IANA name).
    """
    from newsletter.operations.cluster import jobs_in_words

    for worker in cluster.workers:
        yield "worker", _worker(worker, at, zone)
    if cluster.trouble:
        yield "jobs", f"not known: {cluster.trouble}"
    unserved = cluster.unserved(at)
    for queue in (one for one in cluster.queues if one.todo or one.later or one.doing):
        oldest = f", the oldest since {minute(queue.oldest, zone)}" if queue.oldest else ""
        hint = "; no living worker takes them: start `newsletter worker`" if queue.queue in unserved else ""
        yield "jobs", f"{queue.queue}: {jobs_in_words(queue)}{oldest}{hint}"


def _worker(worker: LiveWorker, at: datetime, zone: str) -> str:
    silent = max(round((at - worker.seen_at).total_seconds()), 0)
    takes = f", takes {', '.join(worker.queues)}" if worker.queues else ""
    chunks = f"{worker.busy} of {counted(worker.concurrency, 'chunk')} at work"
    since = f"version {worker.version}, since {minute(worker.started_at, zone)}"
    return f"{worker.kind} on {worker.host} ({worker.name}), {since}{takes}: {chunks}, last sign {silent} s ago"


def cluster_json(cluster: Cluster) -> dict[str, Any]:
    """Return how a cluster stands, as values of `status --json`."""
    return {
        "workers": [asdict(one) for one in cluster.workers],
        "jobs": [asdict(one) for one in cluster.queues],
        "relay_rates": {name: round(rate, 3) for name, rate in cluster.rates.items()},
    }
