"""Brings the subscribers of a list into line with its files, which are read only when they have changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime

from newsletter.core.errors import FileChangedError
from newsletter.core.subscriber import SyncCounts
from newsletter.ports import ListFile, Subscribers

_TRIES = 3  # to read files that are being written to


async def sync(subscribers: Subscribers, file: ListFile, *, now: datetime) -> SyncCounts:
    """Add, change and remove subscribers as a list's files say; return what that came to.

    Only those that the files themselves brought are changed or removed.

    Args:
        subscribers: where subscribers are kept.
        file: a list, and whom its files name.
        now: aware, UTC.

    Raises:
        ListFileError: the members file is wrong, or is being written to; nothing was changed.
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
    for _ in range(_TRIES - 1):
        with suppress(FileChangedError):
            return await _compared_and_applied(subscribers, file, now)
    return await _compared_and_applied(subscribers, file, now)


async def _compared_and_applied(subscribers: Subscribers, file: ListFile, now: datetime) -> SyncCounts:
    reading = file.roster.reading()
    async with subscribers.compare(file.list.name, reading) as comparison:
        await comparison.apply(reading.seen, now=now)
    return comparison.counts


async def is_synced(subscribers: Subscribers, file: ListFile) -> bool:
    """Return whether the subscribers are in line with a list's files, which are read only if they were touched."""
    known = await subscribers.synced_files(file.list.name)
    return known is not None and await asyncio.to_thread(file.roster.as_seen, known) is not None


async def check(subscribers: Subscribers, file: ListFile) -> None:
    """Find out whether a list's files are right, if they have changed since the last sync.

    Raises:
        ListFileError: they are wrong; with all mistakes, of a file at most 1,000.
    """
    if not await is_synced(subscribers, file):
        await asyncio.to_thread(file.roster.check)
