"""How many mails relays were handed, in SQL."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.quotas import DAY, SLOT, Quota, Room, Used, room, slot_of
from newsletter.ports import Granted, RelayUsage
from newsletter.store.column_types import Exact, Moment
from newsletter.store.engine import Database
from newsletter.store.tables import metadata

# A row for each slot of five minutes in which an account at a relay was handed mails, for a day.
relay_usage = sa.Table(
    "relay_usage",
    metadata,
    sa.Column("account", Exact, primary_key=True),
    sa.Column("slot", Moment, primary_key=True),
    sa.Column("mails", sa.Integer, nullable=False),
)

# When the warm-up of each account began that has, or had, one.
warm_ups = sa.Table(
    "warm_ups",
    metadata,
    sa.Column("account", Exact, primary_key=True),
    sa.Column("begun_at", Moment, nullable=False),
)


class SqlRelayUsage(RelayUsage):
    """Counts by slots, a row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def take(self, account: str, quota: Quota, most: int, *, now: datetime) -> Granted:
        slot = slot_of(now)
        async with self._database.write() as connection:
            await self._database.alone(connection, f"relay usage of {account}")
            begun_at = await _begun_at(connection, account, now) if quota.warm_up else now
            used = await _used(connection, account)
            left = room(quota, used, begun_at, now)
            mails = min(most, left.left)
            if mails:
                await _forget(connection, account, before=now - DAY - SLOT)
                await _count(connection, account, slot, mails, is_new=all(one.slot != slot for one in used))
        return Granted(mails, slot, left)

    @override
    async def room(self, account: str, quota: Quota, *, now: datetime) -> Room:
        async with self._database.read() as connection:
            begun_at = await connection.scalar(sa.select(warm_ups.c.begun_at).where(warm_ups.c.account == account))
            return room(quota, await _used(connection, account), begun_at or now, now)

    @override
    async def give_back(self, account: str, slot: datetime, mails: int) -> None:
        async with self._database.write() as connection:
            await _count(connection, account, slot, -mails, is_new=False)


async def _begun_at(connection: AsyncConnection, account: str, now: datetime) -> datetime:
    """Return when the warm-up of an account began: now, if it did not before."""
    known: datetime | None = await connection.scalar(
        sa.select(warm_ups.c.begun_at).where(warm_ups.c.account == account)
    )
    if known is None:
        await connection.execute(sa.insert(warm_ups).values(account=account, begun_at=now))
    return known or now


async def _used(connection: AsyncConnection, account: str) -> list[Used]:
    of_account = sa.select(relay_usage.c.slot, relay_usage.c.mails).where(relay_usage.c.account == account)
    return [Used(row.slot, row.mails) for row in await connection.execute(of_account)]


async def _count(connection: AsyncConnection, account: str, slot: datetime, mails: int, *, is_new: bool) -> None:
    if is_new:
        await connection.execute(sa.insert(relay_usage).values(account=account, slot=slot, mails=mails))
        return
    this = (relay_usage.c.account == account, relay_usage.c.slot == slot)
    await connection.execute(sa.update(relay_usage).where(*this).values(mails=relay_usage.c.mails + mails))


async def _forget(connection: AsyncConnection, account: str, *, before: datetime) -> None:
    is_old = (relay_usage.c.account == account, relay_usage.c.slot <= before)
    await connection.execute(sa.delete(relay_usage).where(*is_old))
