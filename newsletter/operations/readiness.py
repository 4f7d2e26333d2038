"""Whether mail can go out: for monitoring and load balancers, in few words that reveal nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from newsletter.core.errors import NewsletterError
from newsletter.operations.cluster import Cluster, ClusterReader
from newsletter.ports import Beat, SlowDownKind, Store

OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How each part stands: `ok`, or what is wrong."""

    ledger: str
    scheduler: str
    relay: str
    workers: str = OK

    @property
    def is_ready(self) -> bool:
        """Return whether all parts are well."""
        return self.ledger == self.scheduler == self.relay == self.workers == OK


async def readiness(store: Store, relays: Collection[str], cluster: ClusterReader, *, now: datetime) -> Readiness:
    """Return how the parts stand that mail needs, at a moment (aware). Never raises.

    Args:
        store: the ledger.
        relays: their names; one of them must be well.
        cluster: reads what delivers: what waits for workers must have one.
        now: the moment, aware.
    """
    try:
        if not await store.is_up_to_date():
            wrong = "its tables are of another version: restart this process after `newsletter db upgrade`"
            return Readiness(ledger=wrong, scheduler=OK, relay=OK)
        beats = await store.beats.newest()
        known = await store.slow_downs.known(now=now)
        delivering = await cluster.read(now)
    except NewsletterError:
        unknown = "not known"
        return Readiness(ledger="it cannot be read", scheduler=unknown, relay=unknown, workers=unknown)
    troubled = {one.name for one in known if one.kind is SlowDownKind.RELAY}
    is_stuck = bool(relays) and troubled >= set(relays)
    return Readiness(
        ledger=OK,
        scheduler=_beating(beats, now),
        relay="in trouble" if is_stuck else OK,
        workers=_working(delivering, now),
    )


def _working(cluster: Cluster, now: datetime) -> str:
    """Return whether what waits for workers has some."""
    if cluster.trouble:
        return "the tables of jobs are of another version: `newsletter db upgrade`"
    return "jobs wait, and no worker that takes them lives" if cluster.unserved(now) else OK


def _beating(beats: Iterable[Beat], now: datetime) -> str:
    """Return whether a process does the work of the scheduler: by itself, or because cron calls it."""
    newest = max(beats, key=lambda beat: beat.fresh_until, default=None)
    if newest is None:
        return "no process has ever done its work"
    if newest.fresh_until < now:
        return f"the last process that did its work did so at {newest.at:%Y-%m-%dT%H:%M:%SZ}"
    return OK
