"""That readers left, in SQL."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.events import EventType, of_reader
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import LEFT
from newsletter.ports import Leaver
from newsletter.ports.leavings import Leaving, Leavings
from newsletter.store.engine import Database
from newsletter.store.erased import IS_SOMEBODY
from newsletter.store.events import note
from newsletter.store.moving_tables import leavings
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress
from newsletter.store.tables import EVERY_LIST, list_files, subscribers, suppressions
from newsletter.store.together import run_alone, run_together

_KEEPS_OUT = sa.and_(
    leavings.c.subscriber_key == subscribers.c.key,
    suppressions.c.address_key == subscribers.c.address_key,
    suppressions.c.list == subscribers.c.list,
    suppressions.c.reason == LEFT,
    suppressions.c.since == leavings.c.at,
)

_LEAVING = sa.select(leavings.c.key, leavings.c.at, subscribers.c.key, *COLUMNS)
_LEFT_BEFORE = sa.exists().where(leavings.c.subscriber_key == subscribers.c.key)
_WHO = sa.select(_LEFT_BEFORE.label("again"), *COLUMNS).where(
    subscribers.c.key == sa.bindparam("reader"), IS_SOMEBODY
)
_FORGET = sa.delete(leavings).where(leavings.c.subscriber_key == sa.bindparam("reader"))
_NOTE = sa.insert(leavings)
_TOLD_WITHIN = timedelta(days=1)


class SqlLeavings(Leavings):
    """A row for each reader who left: of somebody who leaves again, only the newest is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def last(self, subscriber_key: int) -> Leaving | None:
        return await self._one(leavings.c.subscriber_key == subscriber_key)

    @override
    async def find(self, key: int) -> Leaving | None:
        return await self._one(leavings.c.key == key)

    async def _one(self, which: sa.ColumnElement[bool]) -> Leaving | None:
        async def one(connection: AsyncConnection) -> Leaving | None:
            row = (await connection.execute(_LEAVING.where(which, _KEEPS_OUT))).first()
            return None if row is None else _leaving(row)

        return await self._database.read_at_once(one)

    @override
    async def undo(self, key: int, *, now: datetime) -> Subscriber | None:
        async def whole(connection: AsyncConnection) -> Subscriber | None:
            await self._database.alone(connection, WHO_GETS_MAIL)
            columns = (leavings.c.was, subscribers.c.key, subscribers.c.list, subscribers.c.address_key)
            left = (await connection.execute(sa.select(*columns).where(leavings.c.key == key, _KEEPS_OUT))).first()
            if left is None:
                return None
            await connection.execute(sa.delete(leavings).where(leavings.c.key == key))
            theirs = sa.and_(suppressions.c.address_key == left.address_key, suppressions.c.list == left.list)
            await connection.execute(sa.delete(suppressions).where(theirs))
            event = of_reader(EventType.SUBSCRIBER_CONFIRMED, left.list, left.key, now=now)
            await note(connection, self._database.listeners, event)
            return await _back(connection, left.key, left.was, now)

        return await self._database.write_at_once(whole)

    @override
    async def to_tell(self, *, now: datetime) -> list[Leaving]:
        lately = sa.and_(leavings.c.is_told.is_(False), leavings.c.at > now - _TOLD_WITHIN, _KEEPS_OUT)
        async with self._database.read() as connection:
            rows = await connection.execute(_LEAVING.where(lately).order_by(leavings.c.key))
            return [_leaving(row) for row in rows]

    @override
    async def note_told(self, key: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(sa.update(leavings).where(leavings.c.key == key).values(is_told=True))

    @override
    async def say_why(self, key: int, why: str) -> bool:
        theirs = (
            sa.select(subscribers.c.key)
            .join(leavings, leavings.c.subscriber_key == subscribers.c.key)
            .where(leavings.c.key == key, _KEEPS_OUT)
            .correlate(suppressions)
        )
        said = sa.update(suppressions).where(theirs.exists()).values(evidence=why)
        async with self._database.write() as connection:
            return (await connection.execute(said)).rowcount > 0


def _leaving(row: sa.Row[Any]) -> Leaving:
    key, at, subscriber_key, *reader = tuple(row)
    return Leaving(key, at, subscriber_key, subscriber_of(reader))


async def leave(
    database: Database,
    connection: AsyncConnection,
    key: int,
    *,
    reason: str,
    now: datetime,
    evidence: str = "",
    is_told: bool = True,
) -> Leaver | None:
    """Take a reader off their list, as `newsletter.ports.Subscribers.leave` says. Others wait for the transaction.

    `is_told` is False where a letter is to tell the reader that it is done.
    """
    [found] = await run_alone(connection, WHO_GETS_MAIL, (_WHO, {"reader": key}))
    if not found:
        return None
    again, *values = found[0].values()
    one, by = subscriber_of(values), SuppressedBy.READER
    is_news = await suppress(
        connection, one.email, list_name=one.list, reason=reason, now=now, by=by, evidence=evidence
    )
    if is_news:
        noted = (_NOTE, {"subscriber_key": key, "at": now, "was": one.status, "is_told": is_told})
        await run_together(connection, *([(_FORGET, {"reader": key}), noted] if again else [noted]))
        event = of_reader(EventType.SUBSCRIBER_LEFT, one.list, key, now=now)
        await note(connection, database.listeners, event)
    return Leaver(one, is_news)


async def _back(connection: AsyncConnection, key: int, was: SubscriberStatus, now: datetime) -> Subscriber | None:
    """Let a subscriber be what they were, unless something else bars them; return them as they are then."""
    this = subscribers.c.key == key
    is_barred = sa.exists().where(
        suppressions.c.address_key == subscribers.c.address_key,
        suppressions.c.list.in_([subscribers.c.list, EVERY_LIST]),
    )
    # Who was barred when they left may be so no longer; only the files' word is kept.
    status = SubscriberStatus.REMOVED if was is SubscriberStatus.REMOVED else SubscriberStatus.ACTIVE
    values = {"status": status, "updated_at": now}
    await connection.execute(sa.update(subscribers).where(this, sa.not_(is_barred)).values(values))
    row = (await connection.execute(sa.select(*COLUMNS).where(this))).one()
    reader = subscriber_of(row)
    if reader.origin is Origin.FILE:
        # The files may have changed meanwhile: the next sync of the list is to look at them again.
        await connection.execute(sa.delete(list_files).where(list_files.c.list == reader.list))
    return reader
