"""New addresses that readers ask for, in SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.address import address_key
from newsletter.core.moving import KEPT_FOR, MOVED, VALID_FOR, may_ask
from newsletter.core.steps import Bar
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.ports.address_changes import AddressChange, AddressChanges
from newsletter.store.barring import barred_among
from newsletter.store.bulk import insert
from newsletter.store.engine import Database
from newsletter.store.moving_tables import address_changes
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.suppressing import WHO_GETS_MAIL, withdraw
from newsletter.store.tables import deliveries, subscribers, suppressions

_OWN = (
    address_changes.c.key,
    address_changes.c.subscriber_key,
    address_changes.c.email,
    address_changes.c.former_email,
    address_changes.c.asked_at,
)
_WITH_READERS = sa.select(*_OWN, *COLUMNS).join(subscribers, subscribers.c.key == address_changes.c.subscriber_key)
# What two subscribers who swap addresses need for a moment, since an address is on a list once. It is none.
_BETWEEN = "moving"
_GETS_MAIL = subscribers.c.status == SubscriberStatus.ACTIVE


class SqlAddressChanges(AddressChanges):
    """A row for each that was asked for, for a month."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def ask(self, subscriber_key: int, email: str, *, now: datetime) -> bool:
        key = address_key(email)

        async def whole(connection: AsyncConnection) -> bool:
            await self._database.alone(connection, WHO_GETS_MAIL)
            await connection.execute(sa.delete(address_changes).where(address_changes.c.asked_at < now - KEPT_FOR))
            wanted = sa.select(subscribers.c.list).where(subscribers.c.key == subscriber_key, _GETS_MAIL)
            list_name = await connection.scalar(wanted)
            if list_name is None or not await _is_free(self._database, connection, list_name, key):
                return False
            of_reader = await _asked(connection, address_changes.c.subscriber_key == subscriber_key)
            of_address = await _asked(connection, address_changes.c.address_key == key)
            if not may_ask(of_reader, of_address, now=now):
                return False
            await _close(connection, subscriber_key)
            row = {"subscriber_key": subscriber_key, "address_key": key, "email": email, "asked_at": now}
            await connection.execute(sa.insert(address_changes).values(**row, is_open=True))
            return True

        return await self._database.write_at_once(whole)

    @override
    async def find(self, key: int, *, now: datetime) -> AddressChange | None:
        async with self._database.read() as connection:
            return await _open(connection, key, now)

    @override
    async def move(self, key: int, *, now: datetime) -> AddressChange | None:
        async def whole(connection: AsyncConnection) -> AddressChange | None:
            await self._database.alone(connection, WHO_GETS_MAIL)
            change = await _open(connection, key, now)
            if change is None:
                return None
            await _close(connection, change.subscriber_key)
            if not await _is_free(self._database, connection, change.reader.list, address_key(change.email)):
                return None
            await _move(connection, change, now)
            return next(iter(await _changes(connection, address_changes.c.key == key)))

        return await self._database.write_at_once(whole)

    @override
    async def to_confirm(self, *, now: datetime) -> list[AddressChange]:
        async with self._database.read() as connection:
            return await _changes(connection, _is_open(now), address_changes.c.mailed_at.is_(None))

    @override
    async def to_tell(self, *, now: datetime) -> list[AddressChange]:
        has_moved = sa.and_(address_changes.c.former_email.is_not(None), address_changes.c.told_at.is_(None))
        async with self._database.read() as connection:
            return await _changes(connection, has_moved, address_changes.c.asked_at > now - KEPT_FOR)

    @override
    async def note_mailed(self, key: int, *, now: datetime) -> None:
        await self._note(key, mailed_at=now)

    @override
    async def note_told(self, key: int, *, now: datetime) -> None:
        await self._note(key, told_at=now, former_email=None)

    async def _note(self, key: int, **values: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                sa.update(address_changes).where(address_changes.c.key == key).values(**values)
            )


def _is_open(now: datetime) -> sa.ColumnElement[bool]:
    is_valid = address_changes.c.asked_at > now - VALID_FOR
    return sa.and_(address_changes.c.is_open, is_valid, _GETS_MAIL)


async def _open(connection: AsyncConnection, key: int, now: datetime) -> AddressChange | None:
    return next(iter(await _changes(connection, address_changes.c.key == key, _is_open(now))), None)


async def _changes(connection: AsyncConnection, *which: sa.ColumnElement[bool]) -> list[AddressChange]:
    rows = await connection.execute(_WITH_READERS.where(*which).order_by(address_changes.c.key))
    return [_change(*row) for row in rows]


def _change(
    key: int, subscriber_key: int, email: str, former_email: str | None, asked_at: datetime, *reader: Any
) -> AddressChange:
    return AddressChange(key, subscriber_key, subscriber_of(reader), email, former_email or "", asked_at)


async def _asked(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> list[datetime]:
    return list(await connection.scalars(sa.select(address_changes.c.asked_at).where(which)))


async def _close(connection: AsyncConnection, subscriber_key: int) -> None:
    """Let nothing that a reader asked for be open any more."""
    theirs = address_changes.c.subscriber_key == subscriber_key
    await connection.execute(sa.update(address_changes).where(theirs).values(is_open=False))


async def _is_free(database: Database, connection: AsyncConnection, list_name: str, key: str) -> bool:
    """Return whether an address is nobody's on a list, and may be mailed; readers may move back to their own."""
    barred = (await barred_among(database, connection, list_name, [key])).get(key)
    if barred is not None:
        return barred.reason == MOVED
    known = sa.select(subscribers.c.key).where(subscribers.c.list == list_name, subscribers.c.address_key == key)
    return await connection.scalar(known) is None


async def _swap_away(connection: AsyncConnection, list_name: str, key: str, email: str) -> None:
    """Give an address that a reader moved away from, and that files put on the list anew, the other one."""
    theirs = sa.and_(subscribers.c.list == list_name, subscribers.c.address_key == key)
    values = {"address_key": _BETWEEN, "email": email}
    await connection.execute(sa.update(subscribers).where(theirs).values(**values))


async def _move(connection: AsyncConnection, change: AddressChange, now: datetime) -> None:
    former, new, list_name = change.reader.address_key, address_key(change.email), change.reader.list
    await _swap_away(connection, list_name, new, change.reader.email)
    row = {"address_key": former, "list": list_name, "reason": MOVED, "since": now, "made_by": SuppressedBy.READER}
    await connection.execute(insert(connection, suppressions).values(**row).on_conflict_do_nothing())
    of_new = sa.and_(suppressions.c.address_key == new, suppressions.c.list == list_name)
    await connection.execute(sa.delete(suppressions).where(of_new, suppressions.c.reason == MOVED))
    origin = Origin.WEB if change.reader.origin is Origin.FILE else change.reader.origin
    values = {"address_key": new, "email": change.email, "origin": origin, "updated_at": now}
    this = subscribers.c.key == change.subscriber_key
    await connection.execute(sa.update(subscribers).where(this).values(**values))
    await connection.execute(
        sa.update(subscribers)
        .where(subscribers.c.list == list_name, subscribers.c.address_key == _BETWEEN)
        .values(address_key=former)
    )
    await withdraw(connection, deliveries.c.subscriber_key == change.subscriber_key, Bar(MOVED), now=now)
    told = {"former_email": change.reader.email}
    await connection.execute(sa.update(address_changes).where(address_changes.c.key == change.key).values(**told))
