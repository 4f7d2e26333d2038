"""What an operator sees first: what is stuck, what is next, how lists grow, what went out and what came back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from newsletter.core.bounces import EventKind
from newsletter.core.delivery import DeliveryState
from newsletter.core.quotas import QuotaOf
from newsletter.operations.cluster import Cluster, ClusterReader
from newsletter.operations.status import held_files, slow_downs_for_operators
from newsletter.operations.troubles import Facts, Trouble, troubles
from newsletter.ports import (
    CameBack,
    Grown,
    HeldFiles,
    IssueSummary,
    Lists,
    LoadedLists,
    PlacedDelivery,
    SlowDownKind,
    SourceHealth,
    Store,
)
from newsletter.ports.listed import SourceNames
from newsletter.readers.next_issue import next_issue

MONTH = timedelta(days=30)
GROWTH = timedelta(days=90)
DAYS_OF_SOURCES = 14
STUCK = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN)
_ISSUES, _STUCK_SHOWN, _STUCK_LOOKED_AT = 5, 5, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDue:
    """The issue that is due next: of which list and day, when (aware, UTC), and how many papers its day has."""

    list: str
    day: date
    at: datetime
    timezone: str
    papers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """How a source does: its health, the lists that read it, and how many papers its pages held by day."""

    health: SourceHealth
    lists: tuple[str, ...]
    papers: Mapping[date, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What an operator sees first. `delivered` are the deliveries of the last 30 days by state."""

    troubles: Sequence[Trouble]
    next_due: NextDue | None
    grown: Grown
    delivered: Mapping[DeliveryState, int]
    came_back: Sequence[CameBack]
    issues: Sequence[IssueSummary]
    issue_count: int
    stuck: Sequence[PlacedDelivery]
    counts: Mapping[DeliveryState, int]  # how many are deferred, and how many uncertain
    sources: Sequence[SourceReport]
    approvals: int
    cluster: Cluster
    troubled_relays: frozenset[str]
    timezone: str

    @property
    def complaints(self) -> int:
        """Return how many readers complained in the last 30 days."""
        return sum(one.number for one in self.came_back if one.kind is EventKind.COMPLAINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overseer:
    """Gathers what operators see, from the ledger and the list files.

    Attributes:
        store: the ledger.
        lists: the list files.
        source_names: returns the names of a list's sources.
        cluster: reads what delivers.
        relays: the names of the relays.
        quotas: those of relays that have one.
    """

    store: Store
    lists: Lists
    source_names: SourceNames
    cluster: ClusterReader
    relays: Sequence[str]
    quotas: Sequence[QuotaOf]

    async def overview(self, now: datetime) -> Overview:
        """Return what an operator sees first, at a moment (aware)."""
        store, loaded = self.store, await asyncio.to_thread(self.lists.read)
        timezone = home_timezone(loaded)
        # Counting what is still queued of a large issue takes longest: beside each other, and beside the rest.
        delivered = asyncio.create_task(store.oversight.totals((now - MONTH).date()))
        issues = asyncio.create_task(store.issues.history(limit=_ISSUES))
        counts = {state: await store.outbox.count(states=[state]) for state in STUCK}
        stuck = await store.oversight.deliveries(STUCK, limit=_STUCK_LOOKED_AT) if any(counts.values()) else []
        sources = await self.sources(loaded, now)
        facts = Facts(
            wrong=loaded.wrong,
            held_files=await self.held_files(loaded),
            slow_downs=await slow_downs_for_operators(store, self.quotas, now=now),
            halted=await self._halted(),
            stuck=stuck,
            counts=counts,
            sources=[one.health for one in sources],
            alarms=await store.alarms.lasting(),
        )
        return Overview(
            troubles=troubles(facts, timezone, now),
            next_due=await self._next_due(loaded, now),
            grown=await store.growth.since((now - GROWTH).date()),
            delivered=await delivered,
            came_back=await store.oversight.came_back(now - MONTH),
            issues=await issues,
            issue_count=await store.issues.count(),
            stuck=stuck[:_STUCK_SHOWN],
            counts=counts,
            sources=sources,
            approvals=len(await store.signups.to_decide(limit=100)),
            cluster=await self.cluster.read(now),
            troubled_relays=frozenset(one.name for one in facts.slow_downs if one.kind is SlowDownKind.RELAY),
            timezone=timezone,
        )

    async def sources(self, loaded: LoadedLists, now: datetime) -> list[SourceReport]:
        """Return how the sources of all lists do, each once."""
        read_by: dict[str, list[str]] = {}
        for name, file in loaded.right.items():
            for source in self.source_names(file.list):
                read_by.setdefault(source, []).append(name)
        since = now.date() - timedelta(days=DAYS_OF_SOURCES)
        papers = await self.store.oversight.read_counts(list(read_by), since)
        return [
            SourceReport(
                health=await self.store.library.health(source),
                lists=tuple(sorted(lists)),
                papers=papers.get(source, {}),
            )
            for source, lists in sorted(read_by.items())
        ]

    async def held_files(self, loaded: LoadedLists) -> dict[str, HeldFiles]:
        """Return the files of lists that wait for the operator's word, by list."""
        files = loaded.right.items()
        return {name: held for name, file in files if (held := await held_files(self.store, file))}

    async def _halted(self) -> list[IssueSummary]:
        """Return the issues with something left to do of which the operator said that no more is sent."""
        store = self.store
        keys = [key for key in await store.outbox.open_issues() if (await store.halts.of(key)).halt]
        return list((await store.issues.summaries(keys)).values())

    async def _next_due(self, loaded: LoadedLists, now: datetime) -> NextDue | None:
        lists = [file.list for file in loaded.right.values()]
        coming = [(await next_issue(self.store.issues, list_, now), list_) for list_ in lists]
        slots = [(slot.at, list_.name, slot, list_) for slot, list_ in coming if slot]
        if not slots:
            return None
        _, name, slot, list_ = min(slots, key=lambda one: one[:2])
        days = await self.store.listed.days(self.source_names(list_), slot.day, slot.day)
        return NextDue(list=name, day=slot.day, at=slot.at, timezone=list_.timezone, papers=sum(days.values()))


def home_timezone(loaded: LoadedLists) -> str:
    """Return by whose clocks times are said: that of all lists if they have the same one, else UTC."""
    zones = {file.list.timezone for file in loaded.right.values()}
    return zones.pop() if len(zones) == 1 else "UTC"


def local(moment: datetime, timezone: str) -> datetime:
    """Return a moment by the clocks of a zone."""
    return moment.astimezone(ZoneInfo(timezone))
