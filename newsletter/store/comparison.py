"""Comparing a list's subscribers with whom its files name, in temporary tables of the database, and applying that.

The members go into a table of their own, which locks nothing. The database compares it with the subscribers and
notes what differs. So the one transaction that changes subscribers finds everything ready.
"""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.erasure import Erased
from newsletter.core.steps import REMOVED
from newsletter.core.subscriber import Member
from newsletter.core.syncing import ChangeKind, PlannedChange, SyncCounts
from newsletter.ports import Comparison, HeldFiles, SeenFiles
from newsletter.store import staging, sync_plan
from newsletter.store.bulk import among, in_chunks, insert, is_sqlite, raw_connection, run
from newsletter.store.column_types import moment_text
from newsletter.store.engine import Database
from newsletter.store.erased import erased_people
from newsletter.store.missed import note_other_edition
from newsletter.store.subscriber_rows import member_row
from newsletter.store.suppressing import WHO_GETS_MAIL, withdraw
from newsletter.store.tables import deliveries, held_files, list_files

_SEEN = ("definition", "stamp", "digest", "members", "examples")  # the columns of what files were
_CHUNK = 1000  # members, or removed subscribers


class _OutdatedError(Exception):
    """Another sync of the list was done since the comparison, or somebody was erased."""


class _Unerased:
    """Members, but for those whose data was erased; `left_out` counts these."""

    def __init__(self, members: Iterable[Member], erased: Erased) -> None:
        self._members = members
        self.erased = erased
        self.left_out = 0

    def __iter__(self) -> Iterator[Member]:
        if not self.erased:
            yield from self._members
            return
        for member in self._members:
            if self.erased.of(member.address_key) is None:
                yield member
            else:
                self.left_out += 1


@asynccontextmanager
async def compared(database: Database, list_name: str, members: Iterable[Member]) -> AsyncIterator[SqlComparison]:
    """Compare; see `newsletter.ports.Subscribers.compare`."""
    async with database.aside() as connection:
        async with connection.begin():
            erased = await erased_people(connection, database.hashes)
            named = _Unerased(members, erased)
            await _stage(connection, named)
        comparison = SqlComparison(database, connection, list_name, named)
        async with connection.begin():
            await comparison.compare()
        yield comparison


async def synced_files(connection: AsyncConnection, list_name: str) -> SeenFiles | None:
    """Return what the files of a list were at the last sync, or None if that isn't known."""
    row = (await connection.execute(sa.select(list_files).where(list_files.c.list == list_name))).first()
    return None if row is None else _seen(row)


async def note_files(
    connection: AsyncConnection, list_name: str, seen: SeenFiles | None, *, now: datetime
) -> None:
    """Note what the files of a list are, of a sync at a moment; None: that isn't known any more."""
    for table in (list_files, held_files):
        await connection.execute(sa.delete(table).where(table.c.list == list_name))
    if seen is not None:
        row = {"list": list_name, **asdict(seen), "synced_at": now}
        await connection.execute(insert(connection, list_files), row)


async def hold_files(connection: AsyncConnection, list_name: str, held: HeldFiles) -> None:
    """Note that the files of a list are not to be applied."""
    await connection.execute(sa.delete(held_files).where(held_files.c.list == list_name))
    row = {"list": list_name, **asdict(held.seen), "removed": held.removed, "present": held.present}
    await connection.execute(insert(connection, held_files), {**row, "since": held.since})


async def files_held(connection: AsyncConnection, list_name: str) -> HeldFiles | None:
    """Return which files of a list are not to be applied, or None."""
    row = (await connection.execute(sa.select(held_files).where(held_files.c.list == list_name))).first()
    if row is None:
        return None
    return HeldFiles(seen=_seen(row), removed=row.removed, present=row.present, since=row.since)


def _seen(row: sa.Row[Any]) -> SeenFiles:
    return SeenFiles(**{name: getattr(row, name) for name in _SEEN})


class SqlComparison(Comparison):
    """A comparison on a connection of its own; see `newsletter.ports.Comparison`."""

    def __init__(self, database: Database, connection: AsyncConnection, list_name: str, named: _Unerased) -> None:
        self._database = database
        self._connection = connection
        self._list = list_name
        self._named = named
        self._based_on: object = None
        self.counts = SyncCounts()

    async def compare(self) -> None:
        """Note what differs; in a transaction of the caller."""
        self._based_on = await self._last_sync()
        for statement in staging.COMPARE:
            await run(self._connection, statement, list=self._list)
        [row] = await run(self._connection, staging.COUNT, list=self._list)
        members, added, changed, reactivated, keeping, removed, present = row
        self.counts = SyncCounts(
            added=added,
            changed=changed,
            reactivated=reactivated,
            keeping=keeping,
            removed=removed,
            unchanged=members + self._named.left_out - added - changed - reactivated,
            present=present,
        )

    @override
    async def changes(self, kind: ChangeKind, *, limit: int) -> list[PlannedChange]:
        async with self._connection.begin():
            return await sync_plan.changes(self._connection, self._list, kind, limit=limit)

    @override
    async def apply(
        self, seen: SeenFiles | None, *, now: datetime, approve: Callable[[SyncCounts], None] | None = None
    ) -> SyncCounts:
        while True:
            if approve is not None:
                approve(self.counts)
            try:
                async with self._database.write_aside(self._connection):
                    await self._apply(seen, now)
            except _OutdatedError:
                async with self._connection.begin():
                    await self._leave_out_erased()
                    await self.compare()
            else:
                return self.counts

    async def _apply(self, seen: SeenFiles | None, now: datetime) -> None:
        """Apply, unless another sync of the list was done since the comparison."""
        connection, values = self._connection, {"list": self._list, "now": moment_text(now)}
        if self._database.is_postgresql:
            # Nobody who is known yet is concerned. So who leaves needn't wait while a million are added.
            await run(connection, staging.ADD, **values)
        await self._database.alone(connection, WHO_GETS_MAIL)
        erased = await erased_people(connection, self._database.hashes)
        if await self._last_sync() != self._based_on or erased.since.keys() - self._named.erased.since.keys():
            raise _OutdatedError
        if self.counts.differ:
            if not self._database.is_postgresql:
                await run(connection, staging.ADD, **values)
            if self.counts.changed:
                [(changes_edition,)] = await run(connection, staging.CHANGES_EDITION, list=self._list)
                if changes_edition:
                    await note_other_edition(connection, self._list, now=now)
            for statement in staging.CHANGE:
                await run(connection, statement, **values)
            await self._withdraw(now)
        await note_files(connection, self._list, seen, now=now)

    async def _leave_out_erased(self) -> None:
        """Leave out of the members whose data was erased since they were read."""
        erased = await erased_people(self._connection, self._database.hashes)
        before, self._named.erased = self._named.erased, erased
        if not erased.since.keys() - before.since.keys():
            return
        staged = sa.table("staged", sa.column("address_key", sa.Text))
        keys = await self._connection.scalars(sa.select(staged.c.address_key))
        gone = [key for key in keys if erased.of(key) is not None]
        self._named.left_out += len(gone)
        for some in in_chunks(gone):
            await self._connection.execute(sa.delete(staged).where(staged.c.address_key.in_(some)))

    async def _last_sync(self) -> object:
        """Return what stays the same until another sync of the list is done."""
        query = sa.select(list_files).where(list_files.c.list == self._list)
        return (await self._connection.execute(query)).first()

    async def _withdraw(self, now: datetime) -> None:
        """Withdraw what subscribers who were just removed were not sent yet, some subscribers after the other."""
        last = 0
        while True:
            found = await run(self._connection, staging.REMOVED, last=last, limit=_CHUNK)
            if not found:
                return
            keys = [key for (key,) in found]
            theirs = among(self._connection, deliveries.c.subscriber_key, keys)
            await withdraw(self._connection, theirs, REMOVED, now=now)
            last = keys[-1]


async def _stage(connection: AsyncConnection, members: Iterable[Member]) -> None:
    """Put members into the temporary table; they are iterated in a thread, a chunk at a time."""
    for statement in staging.TABLES:
        await run(connection, statement)
    driver = await raw_connection(connection)
    iterator = iter(members)
    if is_sqlite(connection):
        while some := await asyncio.to_thread(_rows, iterator):
            await driver.executemany(staging.PUT.sqlite, some)
    else:
        async with driver.cursor() as cursor, cursor.copy(staging.PUT.postgresql) as copy:
            while text := await asyncio.to_thread(_csv, iterator):
                await copy.write(text)
    for statement in staging.FILLED:
        await run(connection, statement)


def _rows(members: Iterator[Member]) -> list[tuple[str | None, ...]]:
    return [member_row(member) for member in islice(members, _CHUNK)]


def _csv(members: Iterator[Member]) -> str:
    """Return the next rows as CSV for PostgreSQL's COPY, where an empty value stands for NULL."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(members))
    return text.getvalue()
