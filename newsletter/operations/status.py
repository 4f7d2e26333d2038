"""What is due, sent and stuck, list by list, and what holds mail up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from newsletter.core.calendar import agenda
from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.errors import ListFileError
from newsletter.ports import (
    HeldDomain,
    IssueSummary,
    ListFile,
    SlowDown,
    SlowDownKind,
    SlowDowns,
    Store,
)

_ISSUES = 20  # of a list, whose deliveries are looked through for stuck ones
_FOR_OPERATORS = {SlowDownKind.DOMAIN, SlowDownKind.RELAY}
_STUCK = (DeliveryState.DEFERRED, DeliveryState.UNCERTAIN, DeliveryState.SENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus:
    """How one list stands. All moments are aware, in UTC."""

    list: str
    newest: IssueSummary | None  # None: it has no issue yet
    stuck: int  # deliveries of its last issues that neither arrived nor failed for good
    waits_until: datetime | None  # when its hours begin, if deliveries of the newest issue wait for them
    next: datetime | None  # when the next issue is due; None: the list has no days, or no file that is right
    subscribers: int  # that its files named at the last sync; that they name, if there was none
    held: int  # subscribers whose addresses were called dead, which is in doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How all lists stand, and what holds mail up."""

    lists: list[ListStatus]
    slow_downs: list[SlowDown]
    held: list[HeldDomain]
    wrong: list[ListFileError]  # of lists that were never synced, as their members files are wrong


async def status(store: Store, files: Mapping[str, ListFile], *, now: datetime) -> Status:
    """Return how lists stand at a moment.

    Args:
        store: the ledger.
        files: the lists by name. Of other lists, those are there that have something left to deliver.
        now: the moment, aware.
    """
    rows, wrong = [], []
    for file in files.values():
        try:
            rows.append(await _status_of(store, file, now))
        except ListFileError as error:
            wrong.append(error)
    return Status(
        lists=[
            *rows,
            *[await _without_file(store, name) for name in await _names_without_file(store, files.values())],
        ],
        slow_downs=await slow_downs_for_operators(store.slow_downs, now=now),
        held=await store.suppressions.held(),
        wrong=wrong,
    )


async def _names_without_file(store: Store, files: Iterable[ListFile]) -> list[str]:
    """Return the lists and weekly editions that have open issues, and whose file is wrong or gone."""
    with_file = {edition for file in files for edition in file.list.masthead.editions}
    issues = [await store.issues.get(key) for key in await store.outbox.open_issues()]
    return sorted({issue.list for issue in issues if issue is not None} - with_file)


async def _without_file(store: Store, name: str) -> ListStatus:
    """Return how a list stands whose file is wrong or gone: it has no next issue, and no subscribers in a file."""
    history = await store.issues.history(name, limit=_ISSUES)
    return ListStatus(
        list=name,
        newest=history[0] if history else None,
        stuck=_stuck(history),
        waits_until=None,
        next=None,
        subscribers=0,
        held=await store.suppressions.held_on(name),
    )


def _stuck(history: Iterable[IssueSummary]) -> int:
    return sum(issue.deliveries.get(state, 0) for issue in history for state in _STUCK)


async def slow_downs_for_operators(slow_downs: SlowDowns, *, now: datetime) -> list[SlowDown]:
    """Return what holds mail up that an operator may do something about.

    That leaves out a rate that is used up for a moment, and a relay that takes one message at a time: the first
    passes, and the second costs a round trip.
    """
    known = await slow_downs.known(now=now)
    return [slow_down for slow_down in known if slow_down.kind in _FOR_OPERATORS]


async def _status_of(store: Store, file: ListFile, now: datetime) -> ListStatus:
    name, at = file.list.name, agenda(file.list, now)
    synced = await store.subscribers.synced_files(name)
    history = await store.issues.history(name, limit=_ISSUES)
    newest = history[0] if history else None
    waits = at.opens > now and newest is not None and any(newest.deliveries.get(state) for state in WAITING)
    return ListStatus(
        list=name,
        newest=newest,
        stuck=_stuck(history),
        waits_until=at.opens if waits else None,
        next=at.next.at if at.next else None,
        subscribers=synced.members if synced else (await asyncio.to_thread(file.roster.check)).members,
        held=await store.suppressions.held_on(name),
    )
