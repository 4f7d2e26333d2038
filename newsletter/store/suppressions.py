"""Addresses that are not mailed any more, for operators, and those that relays call dead, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.address import address_key, domain_of
from newsletter.core.dead_addresses import MANY, WITHIN, enough_taken, is_another_day, is_providers_fault
from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.steps import dead_address
from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import HeldDomain, Suppression, Suppressions
from newsletter.store.bulk import among, in_chunks, insert
from newsletter.store.engine import Database
from newsletter.store.personal_data import readmit
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress, suppress_all
from newsletter.store.tables import (
    EVERY_LIST,
    dead_addresses,
    deliveries,
    issues,
    list_files,
    subscribers,
    suppressions,
)

# With the issue whose delivery found that out.
_UNDECIDED = (
    sa.select(
        dead_addresses.c.address_key, dead_addresses.c.domain, dead_addresses.c.reason, issues.c.list, issues.c.day
    )
    .join(issues, issues.c.key == dead_addresses.c.issue_key)
    .where(dead_addresses.c.held.is_(False))
)

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
        after: Suppression | None = None,
        limit: int | None = None,
    ) -> list[Suppression]:
        found = _found(list_name, address, held=held)
        query = sa.select(found).order_by(found.c.address_key, found.c.list, found.c.held).limit(limit)
        if after is not None:
            place = sa.tuple_(found.c.address_key, found.c.list, found.c.held)
            query = query.where(place > (after.address, after.list or EVERY_LIST, after.held))
        async with self._database.read() as connection:
            return [_suppression(row) for row in await connection.execute(query)]

    @override
    async def number(self, *, list_name: str | None = None, held: bool | None = None) -> int:
        query = sa.select(sa.func.count()).select_from(_found(list_name, None, held=held))
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    @override
    async def add(self, suppressions: Sequence[Suppression], *, now: datetime) -> int:
        news = 0
        for some in in_chunks(suppressions, _ADDED_AT_ONCE):
            async with self._database.write() as connection:
                await self._database.alone(connection, WHO_GETS_MAIL)
                news += await suppress_all(connection, some, now=now)
                await _forget(connection, [address_key(one.address) for one in some if one.list is None])
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
        was_dead = await _forget(connection, [key])
        was_erased = await readmit(connection, self._database.hashes, key)
        if was_erased:  # files may name them: all are to be looked at again
            await connection.execute(sa.delete(list_files))
        return lifted or was_dead or was_erased

    @override
    async def judge(self, *, now: datetime) -> list[HeldDomain]:
        async with self._database.read() as connection:
            if await connection.scalar(sa.select(dead_addresses.c.address_key).limit(1)) is None:
                return []
        async with self._database.write() as connection:
            await _forget_taken(connection)
        # What a domain took may be many deliveries to go through. Nobody who writes waits for that.
        async with self._database.read() as connection:
            undecided = (await connection.execute(_UNDECIDED)).all()
            domains = sorted({row.domain for row in undecided})
            held = [domain for domain in domains if await _is_providers_fault(connection, domain, now)]
        async with self._database.write() as connection:
            await self._database.alone(connection, WHO_GETS_MAIL)
            for some in in_chunks([row.address_key for row in undecided if row.domain in held]):
                these = among(connection, dead_addresses.c.address_key, some)
                await connection.execute(sa.update(dead_addresses).where(these).values(held=True))
            for row in undecided:
                if row.domain not in held:
                    await suppress(
                        connection,
                        row.address_key,
                        list_name=None,
                        reason=row.reason,
                        now=now,
                        by=SuppressedBy.RELAY,
                        evidence=_refused(row.list, row.day),
                    )
                    await _forget(connection, [row.address_key])
            return [one for one in await _held(connection) if one.domain in held]

    @override
    async def held(self) -> list[HeldDomain]:
        async with self._database.read() as connection:
            return await _held(connection)

    @override
    async def held_on(self, list_name: str) -> int:
        query = (
            sa.select(sa.func.count()).select_from(dead_addresses).where(dead_addresses.c.held, _is_on(list_name))
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)


def _found(list_name: str | None, address: str | None, *, held: bool | None) -> sa.Subquery:
    """Return suppressions and addresses that are held, as `Suppressions.find` narrows them."""
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
    if list_name is not None:
        query = query.where(suppressions.c.list.in_([list_name, EVERY_LIST]))
        called_dead = called_dead.where(_is_on(list_name))
    both = [query] * (held is not True) + [called_dead] * (held is not False)
    return sa.union_all(*both).subquery("found")


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


async def note_dead(connection: AsyncConnection, change: Change) -> None:
    """Note that a relay called the address of a delivery dead. The caller is `alone` with WHO_GETS_MAIL."""
    query = (
        sa.select(deliveries.c.email, deliveries.c.issue_key, issues.c.list, issues.c.day)
        .join(issues, issues.c.key == deliveries.c.issue_key)
        .where(deliveries.c.key == change.key)
    )
    delivery = (await connection.execute(query)).one()
    key, reason = address_key(delivery.email), dead_address(change)
    known = sa.select(dead_addresses.c.since).where(dead_addresses.c.address_key == key)
    since = await connection.scalar(known)
    if since is None:
        row = {"address_key": key, "domain": domain_of(key), "issue_key": delivery.issue_key}
        row |= {"since": change.at, "reason": reason, "held": False}
        await connection.execute(insert(connection, dead_addresses).on_conflict_do_nothing(), row)
    elif is_another_day(since, change.at):
        by, evidence = SuppressedBy.RELAY, f"{_refused(delivery.list, delivery.day)}, as on {since:%F}"
        await suppress(connection, key, list_name=None, reason=reason, now=change.at, by=by, evidence=evidence)
        await _forget(connection, [key])


def _refused(list_name: str, day: date) -> str:
    """Return what shows that an address is dead: that the relay refused an issue to it."""
    return f"the relay's answer to {list_name} of {day:%F}"


async def _is_providers_fault(connection: AsyncConnection, domain: str, now: datetime) -> bool:
    lately = sa.and_(dead_addresses.c.domain == domain, dead_addresses.c.since > now - WITHIN)
    dead = await connection.scalar(sa.select(sa.func.count()).select_from(dead_addresses).where(lately)) or 0
    if dead < MANY:
        return False
    if not await _took_before(connection, lately):
        return False
    issue_keys = list(await connection.scalars(sa.select(dead_addresses.c.issue_key).where(lately).distinct()))
    taken = (
        sa.select(deliveries.c.key)
        .where(
            deliveries.c.issue_key.in_(issue_keys),
            deliveries.c.state == DeliveryState.SENT,
            sa.func.lower(deliveries.c.email).endswith(f"@{domain}", autoescape=True),
        )
        .limit(enough_taken(dead))  # an issue has a million deliveries: no more are looked at than matter
        .subquery()
    )
    counted = await connection.scalar(sa.select(sa.func.count()).select_from(taken)) or 0
    return is_providers_fault(dead, counted, took_before=True)


async def _took_before(connection: AsyncConnection, lately: sa.ColumnElement[bool]) -> bool:
    """Return whether any of some dead addresses took mail before."""
    before = (
        sa.select(deliveries.c.key)
        .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
        .join(dead_addresses, dead_addresses.c.address_key == subscribers.c.address_key)
        .where(lately, deliveries.c.state == DeliveryState.SENT)
        .limit(1)
    )
    return await connection.scalar(before) is not None


async def _forget_taken(connection: AsyncConnection) -> None:
    """Forget what was called dead and has been taken since."""
    taken = (
        sa.select(deliveries.c.key)
        .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
        .where(
            subscribers.c.address_key == dead_addresses.c.address_key,
            deliveries.c.state == DeliveryState.SENT,
            deliveries.c.updated_at > dead_addresses.c.since,
        )
    )
    await connection.execute(sa.delete(dead_addresses).where(taken.exists()))


async def _held(connection: AsyncConnection) -> list[HeldDomain]:
    query = (
        sa.select(
            dead_addresses.c.domain,
            sa.func.count().label("addresses"),
            sa.func.min(dead_addresses.c.since).label("since"),
            sa.func.min(dead_addresses.c.reason).label("reason"),
        )
        .where(dead_addresses.c.held)
        .group_by(dead_addresses.c.domain)
        .order_by(dead_addresses.c.domain)
    )
    return [HeldDomain(**row) for row in (await connection.execute(query)).mappings()]


def _is_on(list_name: str) -> sa.ColumnElement[bool]:
    """Return the condition that a dead address is on a list."""
    # A look into the index for each dead address; of all addresses of the list, there are a million.
    on_list = (
        sa.select(subscribers.c.key)
        .where(subscribers.c.list == list_name, subscribers.c.address_key == dead_addresses.c.address_key)
        .limit(1)
    )
    return on_list.scalar_subquery().is_not(None)


async def _forget(connection: AsyncConnection, keys: Sequence[str]) -> bool:
    """Forget that addresses were called dead; return whether any was."""
    gone = sa.delete(dead_addresses).where(dead_addresses.c.address_key.in_(keys))
    return (await connection.execute(gone)).rowcount > 0


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
