"""What a sync with a list's files would change: for the operator, who looks at it first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from newsletter.core.address import address_key
from newsletter.core.syncing import ChangeKind, PlannedChange, SyncCounts
from newsletter.ports import ListFile, Subscribers
from newsletter.readers.sync import read_whole, unchanged_members


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """What a sync of a list would change: how many people, and of each kind the first."""

    list: str
    counts: SyncCounts
    staying_out: int  # whom the files name, and who gets no mail
    changes: tuple[PlannedChange, ...]

    @property
    def numbers(self) -> dict[ChangeKind, int]:
        """Return how many people each kind of change concerns."""
        counts = self.counts
        return {
            ChangeKind.ADD: counts.added,
            ChangeKind.CHANGE: counts.changed,
            ChangeKind.REACTIVATE: counts.reactivated,
            ChangeKind.REMOVE: counts.removed,
            ChangeKind.KEEPS: counts.keeping,
            ChangeKind.STAYS_OUT: self.staying_out,
        }

    @property
    def left_out(self) -> int:
        """Return how many people are counted and not among `changes`."""
        return sum(self.numbers.values()) - len(self.changes)


async def plan(subscribers: Subscribers, file: ListFile, *, limit: int) -> SyncPlan:
    """Return what `newsletter.readers.sync.sync` would change now, with at most `limit` people of each kind.

    Raises:
        ListFileError: the files are wrong, or being written to.
        StoreError: the store cannot be read.
    """
    known = await unchanged_members(subscribers, file)
    if known is None:
        counts, changes = await read_whole(lambda: _differences(subscribers, file, limit))
    else:
        counts, changes = SyncCounts(unchanged=known), []
    out = await staying_out(subscribers, file)
    return SyncPlan(list=file.list.name, counts=counts, staying_out=len(out), changes=(*changes, *out[:limit]))


async def staying_out(subscribers: Subscribers, file: ListFile) -> list[PlannedChange]:
    """Return whom the files of a list name, and who gets no mail: those who left, and suppressed addresses."""
    barred = await subscribers.barred(file.list.name)
    if not barred:
        return []
    named = await asyncio.to_thread(lambda: list(file.roster.named(barred)))
    return [
        PlannedChange(kind=ChangeKind.STAYS_OUT, email=email, reason=str(barred[address_key(email)]))
        for email in named
    ]


async def _differences(
    subscribers: Subscribers, file: ListFile, limit: int
) -> tuple[SyncCounts, list[PlannedChange]]:
    async with subscribers.compare(file.list.name, file.roster.reading()) as comparison:
        kinds = [kind for kind in ChangeKind if kind is not ChangeKind.STAYS_OUT]
        found = [await comparison.changes(kind, limit=limit) for kind in kinds]
        return comparison.counts, [change for some in found for change in some]
