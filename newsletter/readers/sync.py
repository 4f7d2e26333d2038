"""Brings the subscribers of a list into line with its files, which are read only when they have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from newsletter.core.errors import FileChangedError, MassRemovalError
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus
from newsletter.core.syncing import SyncCounts
from newsletter.ports import HeldFiles, ListFile, Subscribers

T = TypeVar("T")

_TRIES = 3  # to read files that are being written to


async def sync(
    subscribers: Subscribers, file: ListFile, *, now: datetime, allow_mass_removal: bool = False
) -> SyncCounts:
    """Add, change and remove subscribers as a list's files say; return what that came to.

    Only those that the files themselves brought are changed or removed.

    Args:
        subscribers: where subscribers are kept.
        file: a list, and whom its files name.
        now: aware, UTC.
        allow_mass_removal: remove however many the files name no longer.

    Raises:
        ListFileError: the members file is wrong, or is being written to; nothing was changed.
        MassRemovalError: many would be removed at once; nothing was changed, and the files are held.
        StoreError: the store cannot be read or written; nothing was changed.
    """
    name = file.list.name
    known = await subscribers.synced_files(name)
    if known is not None:
        seen = await asyncio.to_thread(file.roster.as_seen, known)
        if seen is not None:
            if seen != known:
                await subscribers.note_files(name, seen, now=now)
            return SyncCounts(unchanged=known.members)
    if not allow_mass_removal:
        await _check_not_held(subscribers, file)

    async def apply() -> SyncCounts:
        return await _compared_and_applied(subscribers, file, now, allow_mass_removal=allow_mass_removal)

    return await read_whole(apply)


async def read_whole(action: Callable[[], Awaitable[T]]) -> T:
    """Do what reads a list's files, again where they are written to meanwhile.

    Raises: what the action does; FileChangedError, if the files are still being written to.
    """
    for _ in range(_TRIES - 1):
        with suppress(FileChangedError):
            return await action()
    return await action()


async def _compared_and_applied(
    subscribers: Subscribers, file: ListFile, now: datetime, *, allow_mass_removal: bool
) -> SyncCounts:
    reading, name = file.roster.reading(), file.list.name

    def approve(counts: SyncCounts) -> None:
        if counts.removes_many and not allow_mass_removal:
            raise _removes_many(file, removed=counts.removed, present=counts.present)

    try:
        async with subscribers.compare(name, reading) as comparison:
            return await comparison.apply(reading.seen, now=now, approve=approve)
    except MassRemovalError as error:
        held = HeldFiles(seen=reading.seen, removed=error.removed, present=error.present, since=now)
        await subscribers.hold_files(name, held)
        raise


async def is_synced(subscribers: Subscribers, file: ListFile) -> bool:
    """Return whether the subscribers are in line with a list's files, which are read only if they were touched."""
    return await unchanged_members(subscribers, file) is not None


async def unchanged_members(subscribers: Subscribers, file: ListFile) -> int | None:
    """Return how many members a list's files name, if they are the same as at the last sync; else None."""
    known = await subscribers.synced_files(file.list.name)
    if known is None or await asyncio.to_thread(file.roster.as_seen, known) is None:
        return None
    return known.members


async def as_synced(subscribers: Subscribers, list_name: str, member: Member) -> Subscriber:
    """Return what a sync with a list's files makes of a person whom they name; nothing is changed."""
    found = await subscribers.records(list_name=list_name, address_key=member.address_key)
    if not found:
        return member.on(list_name)
    [record] = found
    known = record.subscriber
    if known.origin is not Origin.FILE or known.status is SubscriberStatus.UNSUBSCRIBED:
        return known
    if record.own_wishes_since is not None:
        return replace(known, status=SubscriberStatus.ACTIVE)
    return replace(member.on(list_name), paused_until=known.paused_until)


async def check(subscribers: Subscribers, file: ListFile) -> bool:
    """Find out whether a list's files are right; return whether the subscribers are in line with them.

    Raises:
        ListFileError: they are wrong; with all mistakes, of a file at most 1,000.
        MassRemovalError: they are held.
    """
    if await is_synced(subscribers, file):
        return True
    await _check_not_held(subscribers, file)
    await asyncio.to_thread(file.roster.check)
    return False


async def _check_not_held(subscribers: Subscribers, file: ListFile) -> None:
    held = await subscribers.held_files(file.list.name)
    if held is not None and await asyncio.to_thread(file.roster.as_seen, held.seen) is not None:
        raise _removes_many(file, removed=held.removed, present=held.present)


def _removes_many(file: ListFile, *, removed: int, present: int) -> MassRemovalError:
    return MassRemovalError(file.roster.place, file.list.name, removed=removed, present=present)
