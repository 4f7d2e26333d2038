"""What is known of domains and relays, kept in the store so that it outlasts the process.

The parts that learn count in seconds of the event loop's clock, which begins anew with each process; here they
become moments, and moments become seconds again. What can't be kept costs no delivery: it is logged, and the next
process learns it for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from math import isfinite

import structlog

from newsletter.core.errors import StoreError
from newsletter.delivery.limits.domains import DomainLimits
from newsletter.delivery.limits.relays import Relays
from newsletter.delivery.smtp.experience import Joining
from newsletter.delivery.smtp.replies import printable
from newsletter.ports import Clock, SlowDown, SlowDownKind, SlowDowns

log = structlog.get_logger(__name__)

_REMEMBERED = timedelta(hours=1)  # for which we are careful with a domain or relay after its pause or last failure
_LOOK_EVERY = 1.0  # seconds between two looks at what other processes learnt
_OF_ALL = {SlowDownKind.DOMAIN, SlowDownKind.JOINING}  # what a process learns of another while both are at work


class KeptLimits:
    """Passes what earlier processes learnt on to limits and relays, and writes down at once what they learn now.

    While chunks are under way, what other processes learn of domains is looked for each second. A relay that is in
    trouble elsewhere may work from here: with that, a process is careful when it begins, and then goes by what it
    sees itself.
    """

    def __init__(self, slow_downs: SlowDowns, limits: DomainLimits, relays: Relays, clock: Clock) -> None:
        self._slow_downs = slow_downs
        self._limits = limits
        self._relays = relays
        self._clock = clock
        self._since: dict[tuple[SlowDownKind, str], datetime] = {}
        self._unwritten: set[tuple[SlowDownKind, str]] = set()
        self._writing: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._chunks = 0
        self._looking: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        limits.on_change = partial(self._changed, SlowDownKind.DOMAIN)
        for member in relays.members:
            member.health.on_change = partial(self._changed, SlowDownKind.RELAY)
            member.joins.on_change = partial(self._changed, SlowDownKind.JOINING)
            if member.quota:
                member.quota.on_change = partial(self._changed, SlowDownKind.QUOTA)

    @asynccontextmanager
    async def chunk(self) -> AsyncIterator[None]:
        """Work for one chunk; the first of those at the same time reads what this and other processes wrote."""
        self._chunks += 1
        try:
            async with self._beginning:
                if self._chunks == 1:
                    await self._recall_all(set(SlowDownKind))
                    self._looking = asyncio.create_task(self._look(self._over))
            yield
        finally:
            self._chunks -= 1
            if not self._chunks:
                await self._look_no_more()
            if self._writing:
                await self._writing

    async def _look(self, over: asyncio.Event) -> None:
        """Recall what other processes write, again and again, until it is over."""
        while not over.is_set():
            try:
                await asyncio.wait_for(over.wait(), _LOOK_EVERY)
            except TimeoutError:
                await self._recall_all(_OF_ALL)

    async def _look_no_more(self) -> None:
        looking, self._looking = self._looking, None
        if looking:
            self._over.set()
            self._over = asyncio.Event()
            await looking

    async def _recall_all(self, kinds: Collection[SlowDownKind]) -> None:
        try:
            known = await self._slow_downs.known(now=self._clock())
        except StoreError as error:
            log.warning("slow_downs_not_recalled", reason=str(error))
            return
        for one in known:
            # What this process is about to write is newer.
            if one.kind in kinds and (one.kind, one.name) not in self._unwritten:
                self._recall(one)

    def _recall(self, known: SlowDown) -> None:
        is_news = False
        match known.kind:
            case SlowDownKind.DOMAIN:
                free_at = self._in_loop_time(known.until or known.since)
                is_news = self._limits.recall(known.name, known.times, free_at, known.reason)
            case SlowDownKind.RELAY:
                namesakes = [one for one in self._relays.members if one.name == known.name]
                is_news = sum(one.health.recall(known.reason) for one in namesakes) > 0  # all of them learn it
            case SlowDownKind.JOINING:
                until = self._in_loop_time(known.forgotten_at)
                namesakes = [one for one in self._relays.members if one.name == known.name]
                is_news = sum(one.joins.recall(known.reason, until) for one in namesakes) > 0
            case SlowDownKind.QUOTA:
                pass  # what is used is counted in the ledger
        if is_news:
            self._since[known.kind, known.name] = known.since
            log.info("slow_down_recalled", kind=known.kind.value, name=known.name, reason=known.reason)

    def _changed(self, kind: SlowDownKind, name: str) -> None:
        self._unwritten.add((kind, name))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        while self._unwritten:
            unwritten, self._unwritten = self._unwritten, set()
            now = self._clock()
            found = {key: self._standing(*key, now) for key in unwritten}
            over = [key for key, one in found.items() if one is None]
            for key in over:
                self._since.pop(key, None)
            try:
                await self._slow_downs.note([one for one in found.values() if one], over=over, now=now)
            except StoreError as error:
                log.warning("slow_downs_not_kept", names=sorted(name for _, name in unwritten), reason=str(error))

    def _standing(self, kind: SlowDownKind, name: str, now: datetime) -> SlowDown | None:
        """Return how it stands with a domain or a relay; None: nothing holds mail up."""
        match kind:
            case SlowDownKind.DOMAIN:
                return self._domain(name, now)
            case SlowDownKind.RELAY:
                return self._relay(name, now)
            case SlowDownKind.JOINING:
                return self._joining(name, now)
            case SlowDownKind.QUOTA:
                return self._quota(name, now)

    def _domain(self, name: str, now: datetime) -> SlowDown | None:
        slow = self._limits.slow.get(name)
        if slow is None:
            return None
        until = _moment(slow.free_at, now)
        return SlowDown(
            kind=SlowDownKind.DOMAIN,
            name=name,
            since=self._since.setdefault((SlowDownKind.DOMAIN, name), now),
            until=until,
            times=slow.times,
            reason=printable(slow.reason),
            forgotten_at=until + _REMEMBERED,
        )

    def _relay(self, name: str, now: datetime) -> SlowDown | None:
        sick = (one.health for one in self._relays.members if one.name == name and not one.health.is_good)
        health = next(sick, None)
        if health is None:
            return None
        return SlowDown(
            kind=SlowDownKind.RELAY,
            name=name,
            since=self._since.setdefault((SlowDownKind.RELAY, name), now),
            until=_moment(health.left_alone_until, now) if isfinite(health.left_alone_until) else None,
            times=health.failures,
            given_up=health.given_up,
            reason=printable(health.trouble),
            forgotten_at=now + _REMEMBERED,
        )

    def _joining(self, name: str, now: datetime) -> SlowDown | None:
        all_joins = (one.joins for one in self._relays.members if one.name == name)
        joins = next((one for one in all_joins if one.state is Joining.FAILS), None)
        if joins is None:
            return None
        until = _moment(joins.tried_again_at, now)
        return SlowDown(
            kind=SlowDownKind.JOINING,
            name=name,
            since=self._since.setdefault((SlowDownKind.JOINING, name), now),
            until=until,
            reason=printable(joins.reason),
            forgotten_at=until,
        )

    def _quota(self, name: str, now: datetime) -> SlowDown | None:
        quotas = (one.quota for one in self._relays.members if one.name == name and one.quota)
        quota = next((one for one in quotas if one.is_used_up), None)
        if quota is None or quota.used_up_until is None:
            return None
        return SlowDown(
            kind=SlowDownKind.QUOTA,
            name=name,
            since=now,
            until=quota.used_up_until,
            reason=quota.reason,
            forgotten_at=quota.used_up_until,
        )

    def _in_loop_time(self, moment: datetime) -> float:
        return asyncio.get_running_loop().time() + (moment - self._clock()).total_seconds()


def _moment(loop_time: float, now: datetime) -> datetime:
    """Return the moment of the loop's time; `now` for one that is past."""
    return now + timedelta(seconds=max(0.0, loop_time - asyncio.get_running_loop().time()))
