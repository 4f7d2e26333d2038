"""What the operator's pages show of delivery: workers, the jobs that wait for them, the rates of relays."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from newsletter.core.text import counted
from newsletter.operations.cluster import Cluster, jobs_in_words, rate_in_words
from newsletter.operations.overview import home_timezone
from newsletter.ports import LiveWorker, QueueCount, SlowDownKind
from newsletter.web.admin.desk import Desk
from newsletter.web.admin.views import Moments

_SILENT = 15  # seconds: workers give a sign every few seconds


async def workers(desk: Desk, request: Request) -> Response:
    """Show each worker, each queue and each relay."""
    now = desk.clock()
    moments = Moments(home_timezone(await asyncio.to_thread(desk.overseer.lists.read)), now)
    cluster = await desk.overseer.cluster.read(now)
    known = await desk.store.slow_downs.known(now=now)
    troubled = {one.name for one in known if one.kind is SlowDownKind.RELAY}
    values = delivering(cluster, desk.overseer.relays, troubled, moments)
    return desk.page(request, "workers", {**values, "timezone": moments.timezone})


def delivering(
    cluster: Cluster, relays: Sequence[str], troubled: Collection[str], moments: Moments
) -> dict[str, Any]:
    """Return what pages say of delivery.

    Args:
        cluster: what delivers.
        relays: the names of the relays, in the order in which they are tried.
        troubled: the names of those that are in trouble.
        moments: says moments, beside the present one.
    """
    unserved = cluster.unserved(moments.now)
    hosts = {one.host for one in cluster.workers}
    room = sum(one.concurrency for one in cluster.workers)
    return {
        "relays": [_relay(name, cluster.rates.get(name, 0.0), is_troubled=name in troubled) for name in relays],
        "workers": [_worker(one, moments) for one in cluster.workers],
        "workers_say": f"{counted(len(cluster.workers), 'worker')} on {counted(len(hosts), 'machine')}",
        "chunks_say": f"{cluster.busy} of {counted(room, 'chunk')} at work",
        "jobs_trouble": cluster.trouble,
        "queues": [_queue(one, moments, is_unserved=one.queue in unserved) for one in cluster.queues],
    }


def _relay(name: str, per_second: float, *, is_troubled: bool) -> dict[str, str]:
    return {
        "name": name,
        "dot": "b" if is_troubled else "",
        "word": "in trouble" if is_troubled else "well",
        "rate": rate_in_words(per_second) if per_second else "no mail in the last minute",
    }


def _worker(one: LiveWorker, moments: Moments) -> dict[str, str]:
    silent = max(round((moments.now - one.seen_at).total_seconds()), 0)
    return {
        "name": one.name,
        "kind": one.kind,
        "host": one.host,
        "version": one.version,
        "since": moments(one.started_at),
        "chunks": f"{one.busy} of {one.concurrency}",
        "takes": ", ".join(one.queues) or "no jobs",
        "seen": f"{silent} s ago",
        "dot": "w" if silent >= _SILENT else "",
        "word": "silent" if silent >= _SILENT else "well",
    }


def _queue(one: QueueCount, moments: Moments, *, is_unserved: bool) -> dict[str, Any]:
    return {
        "name": one.queue,
        "dot": "b" if is_unserved else "",
        "word": "waits in vain" if is_unserved else "well",
        "says": jobs_in_words(one),
        "due": f"{one.todo:,}",
        "later": f"{one.later:,}",
        "doing": f"{one.doing:,}",
        "oldest": moments(one.oldest),
        "is_unserved": is_unserved,
        "has_jobs": bool(one.todo or one.later or one.doing),
    }
