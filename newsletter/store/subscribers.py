"""Subscribers and suppressions in SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.barring import Barring
from newsletter.core.errors import UsageError
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus, Wishes
from newsletter.core.suppression import SuppressedBy, whole_domain
from newsletter.core.syncing import LEFT, Barred
from newsletter.ports import (
    Comparison,
    Confirmed,
    HeldFiles,
    Leaver,
    ReaderCounts,
    SeenFiles,
    SubscriberRecord,
    Subscribers,
)
from newsletter.store.barring import barred_among, suppressed_on
from newsletter.store.bulk import among, in_chunks, insert, table_of
from newsletter.store.comparison import compared, files_held, hold_files, note_files, synced_files
from newsletter.store.confirming import return_by_confirmation
from newsletter.store.engine import Database
from newsletter.store.erased import IS_SOMEBODY, erased_people
from newsletter.store.leavings import leave
from newsletter.store.subscriber_records import RECORDS, record_of
from newsletter.store.subscriber_rows import COLUMNS, MEMBER_COLUMNS, member_row, subscriber_of
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress
from newsletter.store.tables import subscribers
from newsletter.store.wishes import change_wishes

_LAST = "\U0010ffff"  # no character comes after it


class SqlSubscribers(Subscribers):
    """Subscribers, a row for each address on a list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        query = (
            sa.select(subscribers.c.key)
            .where(
                subscribers.c.list == list_name,
                subscribers.c.cadence == cadence,
                subscribers.c.status == SubscriberStatus.ACTIVE,
            )
            .limit(1)
        )
        async with self._database.read() as connection:
            return await connection.scalar(query) is not None

    @override
    async def languages(self, list_name: str, suits: Callable[[Cadence | None], bool]) -> frozenset[str]:
        query = (
            sa.select(subscribers.c.language, subscribers.c.cadence)
            .distinct()
            .where(
                subscribers.c.list == list_name,
                subscribers.c.language.is_not(None),
                subscribers.c.status == SubscriberStatus.ACTIVE,
            )
        )
        async with self._database.read() as connection:
            found = await connection.execute(query)
            return frozenset(language for language, cadence in found if suits(cadence))

    @override
    async def count(self, list_name: str, *, since: datetime) -> ReaderCounts:
        has_left = sa.and_(
            subscribers.c.status == SubscriberStatus.UNSUBSCRIBED, subscribers.c.updated_at >= since
        )
        query = sa.select(
            sa.func.count().filter(subscribers.c.status == SubscriberStatus.ACTIVE).label("active"),
            sa.func.count().filter(has_left).label("left"),
        ).where(subscribers.c.list == list_name)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one()
        return ReaderCounts(active=row.active, left=row.left)

    @override
    def compare(self, list_name: str, members: Iterable[Member]) -> AbstractAsyncContextManager[Comparison]:
        return compared(self._database, list_name, members)

    @override
    async def synced_files(self, list_name: str) -> SeenFiles | None:
        async with self._database.read() as connection:
            return await synced_files(connection, list_name)

    @override
    async def note_files(self, list_name: str, seen: SeenFiles, *, now: datetime) -> None:
        async with self._database.write() as connection:
            await self._database.alone(connection, WHO_GETS_MAIL)
            known = await synced_files(connection, list_name)
            if known is not None and replace(known, stamp=seen.stamp) == seen:  # no other sync was done meanwhile
                await note_files(connection, list_name, seen, now=now)

    @override
    async def barred(self, list_name: str) -> Barring:
        has_left = sa.select(subscribers.c.address_key, subscribers.c.updated_at).where(
            subscribers.c.list == list_name, subscribers.c.status == SubscriberStatus.UNSUBSCRIBED
        )
        async with self._database.read() as connection:
            found = {key: Barred(LEFT, since) for key, since in await connection.execute(has_left)}
            found |= await suppressed_on(connection, list_name)
            return Barring(found, await erased_people(connection, self._database.hashes))

    @override
    async def held_files(self, list_name: str) -> HeldFiles | None:
        async with self._database.read() as connection:
            return await files_held(connection, list_name)

    @override
    async def hold_files(self, list_name: str, held: HeldFiles) -> None:
        async with self._database.write() as connection:
            await self._database.alone(connection, WHO_GETS_MAIL)
            await hold_files(connection, list_name, held)

    @override
    async def records(
        self,
        *,
        list_name: str | None = None,
        address_key: str | None = None,
        statuses: Collection[SubscriberStatus] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> list[SubscriberRecord]:
        query = RECORDS.where(*_which(list_name, statuses), subscribers.c.key > after)
        if address_key is not None:
            query = query.where(subscribers.c.address_key == address_key)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(subscribers.c.key).limit(limit))
            return [record_of(tuple(row)) for row in rows]

    @override
    async def addresses(self, list_name: str, *, prefix: str, limit: int) -> list[str]:
        first = prefix.lower()
        query = (
            sa.select(subscribers.c.email)
            .where(
                subscribers.c.list == list_name,
                subscribers.c.address_key >= first,
                subscribers.c.address_key < f"{first}{_LAST}",
                subscribers.c.status == SubscriberStatus.ACTIVE,
            )
            .order_by(subscribers.c.address_key)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list(await connection.scalars(query))

    @override
    async def number(self, *, list_name: str | None = None, statuses: Collection[SubscriberStatus] = ()) -> int:
        query = sa.select(sa.func.count()).select_from(subscribers).where(*_which(list_name, statuses))
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    @override
    async def add(self, list_name: str, member: Member, origin: Origin, *, now: datetime) -> bool:
        left_out = await self.add_all(list_name, [member], origin, now=now)
        barred = left_out.get(member.address_key)
        if barred is not None:
            domain = whole_domain(member.email)
            what = domain if barred.reason.startswith(f"{domain}: ") else member.email
            raise UsageError(
                f"{member.email} gets no mail of {list_name}: {barred}; `newsletter suppressions remove {what}` "
                f"undoes that, with --list {list_name} where it is of this list alone"
            )
        return not left_out

    @override
    async def add_all(
        self, list_name: str, members: Sequence[Member], origin: Origin, *, now: datetime
    ) -> Mapping[str, Barred | None]:
        left_out: dict[str, Barred | None] = {}
        same = {"list": list_name, "status": SubscriberStatus.ACTIVE, "origin": origin, "updated_at": now}
        same |= {"own_wishes_since": None, "paused_until": None, "created_at": now}
        for some in in_chunks(members):
            rows = {one.address_key: one for one in some}
            async with self._database.write() as connection:
                await self._database.alone(connection, WHO_GETS_MAIL)
                barred = await barred_among(self._database, connection, list_name, list(rows))
                wanted = [one for key, one in rows.items() if key not in barred]
                added = await _added(connection, wanted, same) if wanted else set()
            left_out |= {key: barred.get(key) for key in rows if key not in added}
        return left_out

    @override
    async def left_out(self, list_name: str, members: Sequence[Member]) -> Mapping[str, Barred | None]:
        found: dict[str, Barred | None] = {}
        async with self._database.read() as connection:
            for keys in in_chunks([one.address_key for one in members]):
                known = sa.select(subscribers.c.address_key).where(
                    subscribers.c.list == list_name,
                    subscribers.c.status != SubscriberStatus.REMOVED,
                    among(connection, subscribers.c.address_key, keys),
                )
                found |= dict.fromkeys(await connection.scalars(known))
                found |= await barred_among(self._database, connection, list_name, keys)
        return found

    @override
    async def by_key(self, key: int) -> Subscriber | None:
        return await self._one(sa.and_(subscribers.c.key == key, IS_SOMEBODY))

    @override
    async def of_address(self, list_name: str, address_key: str) -> Subscriber | None:
        return await self._one(sa.and_(subscribers.c.list == list_name, subscribers.c.address_key == address_key))

    async def _one(self, which: sa.ColumnElement[bool]) -> Subscriber | None:
        async def one(connection: AsyncConnection) -> Subscriber | None:
            row = (await connection.execute(sa.select(*COLUMNS).where(which))).first()
            return None if row is None else subscriber_of(row)

        return await self._database.read_at_once(one)

    @override
    async def change_wishes(
        self, key: int, change: Callable[[Wishes], Wishes], *, now: datetime
    ) -> Subscriber | None:
        async def whole(connection: AsyncConnection) -> Subscriber | None:
            await self._database.alone(connection, WHO_GETS_MAIL)
            return await change_wishes(connection, key, change, now=now)

        return await self._database.write_at_once(whole)

    @override
    async def suppress(
        self,
        address: str,
        *,
        list_name: str | None,
        reason: str,
        now: datetime,
        by: SuppressedBy = SuppressedBy.OPERATOR,
        evidence: str = "",
    ) -> bool:
        async def whole(connection: AsyncConnection) -> bool:
            await self._database.alone(connection, WHO_GETS_MAIL)
            return await suppress(
                connection, address, list_name=list_name, reason=reason, now=now, by=by, evidence=evidence
            )

        return await self._database.write_at_once(whole)

    @override
    async def leave(self, key: int, *, reason: str, now: datetime, evidence: str = "") -> Leaver | None:
        async def whole(connection: AsyncConnection) -> Leaver | None:
            return await leave(self._database, connection, key, reason=reason, now=now, evidence=evidence)

        return await self._database.write_at_once(whole)

    @override
    async def return_by_confirmation(self, list_name: str, member: Member, *, now: datetime) -> Confirmed:
        async def whole(connection: AsyncConnection) -> Confirmed:
            return await return_by_confirmation(self._database, connection, list_name, member, now=now)

        return await self._database.write_at_once(whole)


def _which(list_name: str | None, statuses: Collection[SubscriberStatus]) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that narrow subscribers to a list, and to some statuses, if these are given."""
    of_list = [] if list_name is None else [subscribers.c.list == list_name]
    of_status = [subscribers.c.status.in_(statuses)] if statuses else []
    return [IS_SOMEBODY, *of_list, *of_status]


async def _added(connection: AsyncConnection, members: Sequence[Member], values: Mapping[str, Any]) -> set[str]:
    """Put members in who are new or had been removed; return the keys of their addresses.

    Args:
        connection: in a transaction.
        members: their wishes.
        values: the other columns, the same for all.
    """
    given = table_of(connection, [member_row(one) for one in members], **dict.fromkeys(MEMBER_COLUMNS, sa.Text))
    same = {name: sa.literal(value, subscribers.c[name].type) for name, value in values.items()}
    columns = {name: given.c[name] for name in MEMBER_COLUMNS} | same
    # In the order of addresses: two who do this at once would else wait for each other.
    rows = sa.select(*columns.values()).where(sa.true()).order_by(given.c.address_key)
    put = insert(connection, subscribers).from_select(list(columns), rows, include_defaults=False)
    changed = {name: put.excluded[name] for name in columns if name not in {"list", "address_key", "created_at"}}
    again = put.on_conflict_do_update(
        index_elements=["list", "address_key"],
        set_=changed,
        where=subscribers.c.status == SubscriberStatus.REMOVED,
    )
    return set(await connection.scalars(again.returning(subscribers.c.address_key)))
