"""Subscribers and suppressions in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member, Subscriber, SubscriberStatus
from newsletter.ports import Comparison, ReaderCounts, SeenFiles, Subscribers
from newsletter.store.comparison import compared, note_files, synced_files
from newsletter.store.engine import Database
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress
from newsletter.store.tables import EVERY_LIST, subscribers, suppressions

# Why the address of a subscriber is suppressed for the list or for all lists, or NULL.
SUPPRESSION = (
    sa.select(suppressions.c.reason)
    .where(
        suppressions.c.address_key == subscribers.c.address_key,
        suppressions.c.list.in_([subscribers.c.list, EVERY_LIST]),
    )
    .limit(1)
    .scalar_subquery()
    .label("suppression")
)


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
    async def by_key(self, key: int) -> Subscriber | None:
        return await self._one(subscribers.c.key == key)

    @override
    async def of_address(self, list_name: str, address_key: str) -> Subscriber | None:
        return await self._one(sa.and_(subscribers.c.list == list_name, subscribers.c.address_key == address_key))

    async def _one(self, which: sa.ColumnElement[bool]) -> Subscriber | None:
        async def row(connection: AsyncConnection) -> sa.Row[Any] | None:
            return (await connection.execute(sa.select(*COLUMNS).where(which))).first()

        found = await self._database.read_at_once(row)
        return None if found is None else subscriber_of(found)

    @override
    async def suppress(self, email: str, *, list_name: str | None, reason: str, now: datetime) -> bool:
        async def leave(connection: AsyncConnection) -> bool:
            await self._database.alone(connection, WHO_GETS_MAIL)
            return await suppress(connection, email, list_name=list_name, reason=reason, now=now)

        return await self._database.write_at_once(leave)
