"""What an issue would bring, whom it would reach and when, without freezing or sending anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any

from newsletter.core.calendar import comes_out_on, planner, slot_on
from newsletter.core.choosing import Chooser
from newsletter.core.delivery import DeliveryState
from newsletter.core.issue import Issue
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.ports import ListFile, Store
from newsletter.readers.next_issue import next_issue
from newsletter.readers.sync import as_synced

_SHOWN = 3  # readers, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One reader's copy: when it is due (aware, UTC), or why there is none."""

    email: str
    due_at: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What everybody without wishes would get, how many readers there are, and some of them with their copies.

    `due_at` is when copies are due of readers who have no hour of their own; None: the list has no days.
    """

    titles: tuple[str, ...]
    readers: int
    copies: tuple[Copy, ...]
    due_at: datetime | None
    at_once: bool  # whether all copies are due at once, whatever the readers' hours
    timezone: str  # of the list, an IANA name

    def as_json(self) -> dict[str, Any]:
        """Return it as `run --dry-run --json` prints it."""
        return {
            "titles": list(self.titles),
            "readers": self.readers,
            "due_at": self.due_at,
            "copies": [
                {"email": copy.email, "due_at": copy.due_at, "reason": copy.reason} for copy in self.copies
            ],
        }


async def rehearsed(store: Store, file: ListFile, issue: Issue, *, now: datetime, day: date | None) -> Rehearsal:
    """Return what an issue of a list would bring to whom, and when.

    Args:
        store: the ledger.
        file: the list, and whom its files name.
        issue: of it, closed or what it would be now.
        now: the moment, aware.
        day: the day that somebody has named: then all copies are due at once.
    """
    if issue.key:
        return await _of_closed(store, file, issue, at_once=day is not None)
    list_ = file.list
    is_its_day = day is not None or comes_out_on(list_, issue.day)
    slot = slot_on(list_, issue.day) if is_its_day else await next_issue(store.issues, list_, now)
    copies: list[Copy] = []
    if slot is not None and issue.listings:
        choose = Chooser(issue.listings, issue.terms).of
        plan = planner(list_, slot, now, at_once=day is not None, choose=choose, subject_of=lambda _: "")
        for reader in await _first_readers(store, file):
            planned = plan(reader, frozenset())
            copies.append(Copy(email=reader.email, due_at=planned.due_at, reason=planned.reason))
    known = await store.subscribers.count(list_.name, since=now)
    synced = await store.subscribers.synced_files(list_.name)
    named = 0 if synced else (await asyncio.to_thread(file.roster.check)).members
    return Rehearsal(
        titles=_titles(issue),
        readers=known.active + named,
        copies=tuple(copies),
        due_at=None if slot is None else now if day else max(now, slot.at),
        at_once=day is not None,
        timezone=list_.timezone,
    )


async def _of_closed(store: Store, file: ListFile, issue: Issue, *, at_once: bool) -> Rehearsal:
    """Return what a closed issue brings to whom: its deliveries are planned already."""
    name = file.list.name
    counts = await store.outbox.counts(issue.key)
    records = await store.outbox.records(list_name=name, day=issue.day, limit=_SHOWN)
    return Rehearsal(
        titles=_titles(issue),
        readers=sum(counts.values()) - counts[DeliveryState.WITHDRAWN],
        copies=tuple(Copy(email=one.email, due_at=one.due_at, reason=one.state.value) for one in records),
        due_at=await store.outbox.next_due(issue.key),
        at_once=at_once,
        timezone=file.list.timezone,
    )


def _titles(issue: Issue) -> tuple[str, ...]:
    return tuple(one.listing.title for one in issue.listings[: issue.length])


async def _first_readers(store: Store, file: ListFile) -> list[Subscriber]:
    """Return the first readers whom a list's files name, without those who left."""
    name = file.list.name
    members = await asyncio.to_thread(lambda: list(islice(file.roster.reading(), _SHOWN)))
    readers = []
    for member in members:
        reader = await as_synced(store.subscribers, name, member)
        if reader.status is not SubscriberStatus.UNSUBSCRIBED:
            readers.append(reader)
    return readers
