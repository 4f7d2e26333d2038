"""Whether deliveries that wait for workers have some, and whether all that deliver are of one version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.core.text import counted
from newsletter.operations.cluster import Cluster

_START = "start `newsletter worker`, or see why it ended: docs/scaling.md"


def workers(cluster: Cluster, *, version: str, has_extra: bool, now: datetime) -> Iterator[Diagnosis]:
    """Yield how workers do that share a database.

    Args:
        cluster: what delivers.
        version: of the program here.
        has_extra: whether this installation can hand deliveries over to workers.
        now: the present moment, aware.
    """
    if cluster.trouble:
        yield fail("workers", cluster.trouble, "run `newsletter db upgrade`, and see that the database is there")
        return
    takes_jobs = [one for one in cluster.workers if one.queues]
    if takes_jobs and not has_extra:
        says = f"{counted(len(takes_jobs), 'worker')} live, and this installation cannot hand mail over to them"
        yield warn("workers", says, "pip install 'newsletter[cluster]'")
    for queue, since in cluster.unserved(now).items():
        says = f"jobs of {queue} are due since {since:%Y-%m-%d %H:%M} UTC, and no living worker takes them"
        yield fail("workers", says, _START)
    others = sorted({f"{one.version} on {one.host}" for one in cluster.workers if one.version != version})
    if others:
        says = f"this is version {version}, others deliver with {', '.join(others)}"
        yield warn("workers", says, "install the same version on all machines, and restart them")
    if not (others or cluster.unserved(now) or (takes_jobs and not has_extra)):
        hosts = len({one.host for one in cluster.workers})
        some = f"{counted(len(takes_jobs), 'worker')} on {counted(hosts, 'machine')}, all of version {version}"
        yield ok("workers", some if takes_jobs else "none: each process delivers by itself")
