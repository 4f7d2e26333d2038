"""How many mails relays were handed, in SQL."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.delivery import DeliveryState
from newsletter.core.quotas import DAY, SLOT, Quota, Room, Used, room, slot_of
from newsletter.ports import Granted, RelayUsage
from newsletter.store.column_types import Exact, Moment
from newsletter.store.engine import Database
from newsletter.store.states import keys_in_state
from newsletter.store.tables import deliveries, issues, metadata

_AT_ONCE = 10_000  # deliveries
_UNDER_WAY = timedelta(days=5)  # an issue is delivered within that, unless it is paused

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
        self._looked_at: set[str] = set()  # accounts

    @override
    async def take(self, account: str, quota: Quota, most: int, *, now: datetime) -> Granted:
        if account not in self._looked_at:
            await self._count_former(account, now)
            self._looked_at.add(account)
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

    async def _count_former(self, account: str, now: datetime) -> None:
        """Count what the relay was handed of issues in the last day, if it had no limit and nothing was counted.

        Issues may have many deliveries, so these are read before anything is locked, some at a time.
        """
        async with self._database.read() as connection:
            if await _has_counted(connection, account, now):
                return
            of_issues = sa.select(issues.c.key).where(issues.c.frozen_at > now - _UNDER_WAY)
            keys = list(await connection.scalars(of_issues))
        former: Counter[datetime] = Counter()
        for key in keys:
            former += await self._handed_over(key, account, now)
        if not former:
            return
        async with self._database.write() as connection:
            await self._database.alone(connection, f"relay usage of {account}")
            if await _has_counted(connection, account, now):
                return
            rows = [{"account": account, "slot": slot, "mails": mails} for slot, mails in former.items()]
            await connection.execute(sa.insert(relay_usage), rows)

    async def _handed_over(self, issue_key: int, account: str, now: datetime) -> Counter[datetime]:
        """Return how many mails of an issue a relay was handed in the last day, by slots.

        Deliveries know the relay, which is the first word of the account, and not the login.
        """
        of_relay = deliveries.c.relay == account.partition(" ")[0]
        lately = deliveries.c.updated_at > now - DAY - SLOT
        found: Counter[datetime] = Counter()
        last = 0
        while True:
            sent = keys_in_state(issue_key, DeliveryState.SENT, after=last).add_columns(deliveries.c.updated_at)
            page = sent.where(of_relay, lately).limit(_AT_ONCE)
            async with self._database.read() as connection:
                rows = (await connection.execute(page)).all()
            found.update(slot_of(row.updated_at) for row in rows)
            if len(rows) < _AT_ONCE:
                return found
            last = rows[-1].key

    @override
    async def room(self, account: str, quota: Quota, *, now: datetime) -> Room:
        async with self._database.read() as connection:
            begun_at = await connection.scalar(sa.select(warm_ups.c.begun_at).where(warm_ups.c.account == account))
            return room(quota, await _used(connection, account), begun_at or now, now)

    @override
    async def give_back(self, account: str, slot: datetime, mails: int) -> None:
        async with self._database.write() as connection:
            await _count(connection, account, slot, -mails, is_new=False)


async def _has_counted(connection: AsyncConnection, account: str, now: datetime) -> bool:
    lately = (relay_usage.c.account == account, relay_usage.c.slot > now - DAY - SLOT)
    return await connection.scalar(sa.select(sa.literal(1)).where(*lately).limit(1)) is not None


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
