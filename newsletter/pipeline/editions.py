"""The editions of a list, and what is to be done about each at a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.core.calendar import Agenda, Slot, SlotState, Used, agenda, comes_out_on, last_slot
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.ports import ListFile, Store
from newsletter.readers.sync import is_synced

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A list, or the weekly edition of one, and what is to be done about its newest slot at a moment."""

    list: NewsletterList
    agenda: Agenda
    state: SlotState
    is_made: bool  # whether the slot has its issue already

    @property
    def due_slot(self) -> Slot | None:
        """Return the slot whose issue should be out now, whether it is made or not; None if there is none."""
        return self.agenda.slot if self.state is SlotState.DUE else None

    @property
    def day(self) -> date:
        """Return the day of the issue that is due; today where none is."""
        return self.due_slot.day if self.due_slot else self.agenda.today


async def editions_to_do(
    store: Store, file: ListFile, *, now: datetime, day: date | None = None
) -> AsyncIterator[Edition]:
    """Yield a list, then its weekly edition if there is something to do for it.

    Whether there is depends on what was done for the list meanwhile: who reads it may have changed.

    Args:
        store: the ledger.
        file: the list, and whom its files name.
        now: the moment, aware.
        day: the day of which somebody wants the issue; None: nobody has named one.

    Raises:
        ListFileError: the list's files have changed since the last sync and are wrong.
    """
    yield await edition_at(store, file.list, now=now, day=day)
    weekly = file.list.weekly_edition
    if weekly is None or (day is not None and not comes_out_on(weekly, day)):
        return
    if not await is_read_weekly(store, file):
        return
    edition = await edition_at(store, weekly, now=now, day=day)
    if edition.state is not SlotState.OVER or await store.outbox.open_issues(weekly.name):
        yield edition


async def is_read_weekly(store: Store, file: ListFile) -> bool:
    """Return whether anybody wants one issue a week: in the ledger, or in files that have changed since the sync.

    Raises:
        ListFileError: the files have changed and are wrong.
    """
    if await store.subscribers.anyone_wants(file.list.name, Cadence.WEEKLY):
        return True
    if await is_synced(store.subscribers, file):
        return False
    checked = await asyncio.to_thread(file.roster.check)
    return Cadence.WEEKLY in checked.cadences


async def edition_at(store: Store, list_: NewsletterList, *, now: datetime, day: date | None = None) -> Edition:
    """Return what is to be done about an edition at a moment; takes what `editions_to_do` takes."""
    at = agenda(list_, now, day=day)
    used = Used() if at.named else await _used(store, at)
    is_made = at.slot is not None and await store.issues.outline(list_.name, at.slot.day) is not None
    return Edition(list=list_, agenda=at, state=at.state(used), is_made=is_made)


async def _used(store: Store, at: Agenda) -> Used:
    """Return what is known of a list's newest slot. The first such question notes when the list was first seen."""
    first_seen = await store.slots.first_seen(at.list.name, now=at.now)
    if at.last is None:
        return Used()
    issue = await store.issues.outline(at.list.name, at.last.day)
    newest = issue or await store.issues.outline(at.list.name)
    assumed_until = await store.restored.assumed_until()
    return Used(
        made_at=issue.frozen_at if issue else None,
        in_vain=await store.slots.in_vain(at.list.name) == at.last.day,
        is_new=at.last.at < first_seen and not await _came_out_before(store, at.list, at.last),
        # One that the clock dates ahead was made when it was wrong.
        is_overtaken=newest is not None and newest.day > at.last.day and at.last.at <= newest.frozen_at <= at.now,
        is_assumed=assumed_until is not None and at.last.at <= assumed_until,
    )


async def _came_out_before(store: Store, list_: NewsletterList, slot: Slot) -> bool:
    """Return whether a list came out before a slot.

    An issue that the operator made after the slot for an earlier day does not count, unless it is of the slot
    right before: who makes that one goes on with the list from there.
    """
    previous = await store.issues.latest(list_.name, before=slot.day)
    if previous is None or previous.frozen_at <= slot.at:
        return previous is not None
    before = last_slot(list_, slot.at - _MOMENT)
    return before is not None and previous.day >= before.day
