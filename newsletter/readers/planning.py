"""What a sync with a list's files would change: for the operator, who looks at it first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from newsletter.core.address import address_key
from newsletter.core.barring import Barring
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
    number, out = await staying_out(subscribers, file, limit=limit)
    return SyncPlan(list=file.list.name, counts=counts, staying_out=number, changes=(*changes, *out))


async def staying_out(subscribers: Subscribers, file: ListFile, *, limit: int) -> tuple[int, list[PlannedChange]]:
    """Return whom the files of a list name, and who gets no mail, with the reason: how many, and the first.

    These left, or are suppressed, themselves or with their domain, or their data was erased.
    """
    barring = await subscribers.barred(file.list.name)
    return await asyncio.to_thread(_staying_out, barring, file, limit) if barring else (0, [])


def _staying_out(barring: Barring, file: ListFile, limit: int) -> tuple[int, list[PlannedChange]]:
    number, first = 0, []
    for email in file.roster.named(barring):
        number += 1
        if number <= limit:
            reason = str(barring.of(address_key(email)))
            first.append(PlannedChange(kind=ChangeKind.STAYS_OUT, email=email, reason=reason))
    return number, first


async def _differences(
    subscribers: Subscribers, file: ListFile, limit: int
) -> tuple[SyncCounts, list[PlannedChange]]:
    async with subscribers.compare(file.list.name, file.roster.reading()) as comparison:
        kinds = [kind for kind in ChangeKind if kind is not ChangeKind.STAYS_OUT]
        found = [await comparison.changes(kind, limit=limit) for kind in kinds]
        return comparison.counts, [change for some in found for change in some]
