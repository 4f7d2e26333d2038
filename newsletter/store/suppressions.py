"""Addresses that are not mailed any more, for operators, and those that relays call dead, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.address import address_key
from newsletter.core.errors import UsageError
from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import HeldDomain, Suppression, Suppressions
from newsletter.store.bulk import among, in_chunks
from newsletter.store.dead_addresses import forget, held_domains, is_on, judge
from newsletter.store.engine import Database
from newsletter.store.erased import readmit
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress_all
from newsletter.store.tables import (
    EVERY_LIST,
    dead_addresses,
    list_files,
    subscribers,
    suppressions,
)

_LAST = "\U0010ffff"  # behind all that addresses hold
_ADDED_AT_ONCE = 500  # suppressions in a transaction: in between, others can write


class SqlSuppressions(Suppressions):
    """Suppressions and dead addresses, a row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def find(
        self,
        *,
        list_name: str | None = None,
        held: bool | None = None,
        address: str | None = None,
        beginning: str | None = None,
        after: Suppression | None = None,
        limit: int | None = None,
    ) -> list[Suppression]:
        parts = _parts(list_name, address, beginning, after, held=held)
        if limit is not None:  # of each part: else the database would put all of them in order
            parts = [sa.select(part.order_by(*_order(part)).limit(limit).subquery()) for part in parts]
        found = sa.union_all(*parts).subquery("found")
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(found).order_by(*_order(found)).limit(limit))
            return [_suppression(row) for row in rows]

    @override
    async def number(self, *, list_name: str | None = None, held: bool | None = None) -> int:
        parts = _parts(list_name, held=held)
        query = sa.select(
            *(sa.select(sa.func.count()).select_from(one.subquery()).scalar_subquery() for one in parts)
        )
        async with self._database.read() as connection:
            return sum((await connection.execute(query)).one())

    @override
    async def add(self, suppressions: Sequence[Suppression], *, now: datetime) -> int:
        news = 0
        for some in in_chunks(suppressions, _ADDED_AT_ONCE):
            async with self._database.write() as connection:
                await self._database.alone(connection, WHO_GETS_MAIL)
                news += await suppress_all(connection, some, now=now)
                await forget(connection, [address_key(one.address) for one in some if one.list is None])
        return news

    @override
    async def lift(self, addresses: Sequence[str], *, list_name: str | None, now: datetime) -> None:
        keys = [address_key(address) for address in addresses]
        async with self._database.write() as connection:
            await self._database.alone(connection, WHO_GETS_MAIL)
            for address, key in zip(addresses, keys, strict=True):
                if not await self._lift(connection, key, list_name):
                    raise UsageError(await _why_not(connection, address, key, list_name))
            for some in in_chunks(keys):
                await _activate(connection, some, list_name, now)

    async def _lift(self, connection: AsyncConnection, key: str, list_name: str | None) -> bool:
        """Remove a suppression, and what else keeps an address out of all lists; return whether there was any."""
        this = sa.and_(suppressions.c.address_key == key, suppressions.c.list == (list_name or EVERY_LIST))
        lifted = (await connection.execute(sa.delete(suppressions).where(this))).rowcount > 0
        if list_name is not None:
            return lifted
        was_dead = await forget(connection, [key])
        was_erased = await readmit(connection, self._database.hashes, key)
        if was_erased:  # files may name them: all are to be looked at again
            await connection.execute(sa.delete(list_files))
        return lifted or was_dead or was_erased

    @override
    async def judge(self, *, now: datetime) -> list[HeldDomain]:
        return await judge(self._database, now=now)

    @override
    async def held(self) -> list[HeldDomain]:
        async with self._database.read() as connection:
            return await held_domains(connection)

    @override
    async def held_on(self, list_name: str) -> int:
        query = (
            sa.select(sa.func.count()).select_from(dead_addresses).where(dead_addresses.c.held, is_on(list_name))
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)


def _parts(
    list_name: str | None,
    address: str | None = None,
    beginning: str | None = None,
    after: Suppression | None = None,
    *,
    held: bool | None,
) -> list[sa.Select[Any]]:
    """Return suppressions, and addresses that are held, as `Suppressions.find` narrows them."""
    query = sa.select(suppressions, sa.literal(False).label("held"))
    called_dead = sa.select(
        dead_addresses.c.address_key,
        sa.literal(EVERY_LIST).label("list"),
        dead_addresses.c.reason,
        dead_addresses.c.since,
        sa.literal("").label("evidence"),
        sa.literal(SuppressedBy.RELAY.value).label("made_by"),
        sa.literal(True).label("held"),
    )
    if address is not None:
        query = query.where(suppressions.c.address_key == address_key(address))
        called_dead = called_dead.where(dead_addresses.c.address_key == address_key(address))
    if beginning:
        query = query.where(_begins(suppressions.c.address_key, beginning))
        called_dead = called_dead.where(_begins(dead_addresses.c.address_key, beginning))
    if after is not None:
        place = sa.tuple_(suppressions.c.address_key, suppressions.c.list)
        query = query.where(place > (after.address, after.list or EVERY_LIST))
        is_behind = dead_addresses.c.address_key > after.address
        if after.list is None and not after.held:  # what is held stands behind what is suppressed on all lists
            is_behind = dead_addresses.c.address_key >= after.address
        called_dead = called_dead.where(is_behind)
    if list_name is not None:
        query = query.where(suppressions.c.list.in_([list_name, EVERY_LIST]))
        called_dead = called_dead.where(is_on(list_name))
    return [query] * (held is not True) + [called_dead] * (held is not False)


def _begins(column: sa.Column[str], beginning: str) -> sa.ColumnElement[bool]:
    return sa.and_(column >= beginning, column < beginning + _LAST)


def _order(found: sa.Select[Any] | sa.Subquery) -> list[sa.ColumnElement[Any]]:
    columns = found.selected_columns if isinstance(found, sa.Select) else found.c
    return [columns[name] for name in ("address_key", "list", "held")]


def _suppression(row: sa.Row[Any]) -> Suppression:
    return Suppression(
        address=row.address_key,
        list=None if row.list == EVERY_LIST else row.list,
        reason=row.reason,
        since=row.since,
        by=SuppressedBy(row.made_by),
        evidence=row.evidence,
        held=bool(row.held),
    )


async def _why_not(connection: AsyncConnection, address: str, key: str, list_name: str | None) -> str:
    query = sa.select(suppressions.c.list).where(suppressions.c.address_key == key).order_by(suppressions.c.list)
    others = [
        "without --list" if name == EVERY_LIST else f"with --list {name}"
        for name in await connection.scalars(query)
    ]
    where = "on all lists" if list_name is None else f"on {list_name} alone"
    if not others:
        return f"{address} is neither suppressed nor held; nothing was changed"
    return f"{address} is not suppressed {where}: say it {' or '.join(others)}; nothing was changed"


async def _activate(
    connection: AsyncConnection, keys: Sequence[str], list_name: str | None, now: datetime
) -> None:
    """Let subscribers get mail again for whose addresses no suppression is left."""
    left = (
        sa.select(suppressions.c.reason)
        .where(
            suppressions.c.address_key == subscribers.c.address_key,
            suppressions.c.list.in_([subscribers.c.list, EVERY_LIST]),
        )
        .exists()
    )
    theirs = [
        among(connection, subscribers.c.address_key, keys),
        subscribers.c.status == SubscriberStatus.UNSUBSCRIBED,
        sa.not_(left),
    ]
    if list_name is not None:
        theirs.append(subscribers.c.list == list_name)
    active = {"status": SubscriberStatus.ACTIVE, "updated_at": now}
    again = sa.update(subscribers).where(*theirs).values(active).returning(subscribers.c.list)
    lists = set(await connection.scalars(again))
    # The files may name them no longer: the next sync of their lists is to find out, changed files or not.
    await connection.execute(sa.delete(list_files).where(list_files.c.list.in_(lists)))
