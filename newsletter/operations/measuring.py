"""What monitoring systems measure, read from the ledger: so it is right whichever process is asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.core.alarms import Cause
from newsletter.core.delivery import DeliveryState
from newsletter.core.steps import OPEN
from newsletter.operations.cluster import Cluster, ClusterReader
from newsletter.ports import (
    Beat,
    IssueSummary,
    Lists,
    LoadedLists,
    ModelUsage,
    NoticeCounts,
    SlowDownKind,
    SourceHealth,
    Store,
)
from newsletter.ports.listed import SourceNames
from newsletter.readers.next_issue import next_issue

_COUNTED_WITHIN = timedelta(days=2)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFigures:
    """How a list stands: its readers as counted last (None: never), its newest issue, and when the next is due."""

    list: str
    readers: int | None
    newest: IssueSummary | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is measured.

    Attributes:
        lists: how each list stands.
        open_deliveries: how many deliveries are not made yet, of all issues, by list and state.
        sources: how each source does.
        relays: whether each relay is in trouble, by name.
        alarms: how many alarms last, by cause.
        beats: the last beat of each work.
        notices: how notices to others stand.
        cluster: what delivers.
        models: what was ever asked of each model.
    """

    lists: Sequence[ListFigures]
    open_deliveries: Mapping[tuple[str, DeliveryState], int]
    sources: Sequence[SourceHealth]
    relays: Mapping[str, bool]
    alarms: Mapping[Cause, int]
    beats: Sequence[Beat]
    notices: Sequence[NoticeCounts]
    cluster: Cluster
    models: Mapping[str, ModelUsage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurer:
    """Reads figures. Each question costs a few rows, but for what of an issue is still open.

    Attributes:
        store: the ledger.
        lists: the list files.
        source_names: returns the names of a list's sources.
        relays: their names.
        cluster: reads what delivers.
    """

    store: Store
    lists: Lists
    source_names: SourceNames
    relays: Sequence[str]
    cluster: ClusterReader

    async def figures(self, now: datetime) -> Figures:
        """Return the figures of a moment (aware).

        Raises:
            StoreError: the ledger cannot be read.
        """
        store, loaded = self.store, await asyncio.to_thread(self.lists.read)
        known = await store.slow_downs.known(now=now)
        troubled = {one.name for one in known if one.kind is SlowDownKind.RELAY}
        lasting = Counter(one.cause for one in await store.alarms.lasting())
        return Figures(
            lists=[await self._list(name, loaded, now) for name in sorted(loaded.right)],
            open_deliveries=await self._open(),
            sources=[await store.library.health(name) for name in self._sources(loaded)],
            relays={name: name in troubled for name in self.relays},
            alarms={cause: lasting[cause] for cause in Cause},
            beats=await store.beats.newest(),
            notices=await store.notices.counts(),
            cluster=await self.cluster.read(now),
            models=await store.machine_texts.usage(since=_EVER),
        )

    async def _list(self, name: str, loaded: LoadedLists, now: datetime) -> ListFigures:
        grown = await self.store.growth.since((now - _COUNTED_WITHIN).date(), list_name=name)
        newest = await self.store.issues.history(name, limit=1)
        slot = await next_issue(self.store.issues, loaded.right[name].list, now)
        return ListFigures(
            list=name,
            readers=grown.days[-1].readers if grown.days else None,
            newest=newest[0] if newest else None,
            next_at=slot.at if slot else None,
        )

    async def _open(self) -> Counter[tuple[str, DeliveryState]]:
        issues = await self.store.issues.summaries(await self.store.outbox.open_issues())
        counts: Counter[tuple[str, DeliveryState]] = Counter()
        for issue in issues.values():
            counts.update({(issue.list, state): issue.deliveries.get(state, 0) for state in OPEN})
        return counts

    def _sources(self, loaded: LoadedLists) -> list[str]:
        return sorted({name for file in loaded.right.values() for name in self.source_names(file.list)})
