"""Addresses that are called dead, by a relay's answer or by what came back, in SQL.

What is not `held` yet is decided by `judge`: many at once of one domain are held (`core.dead_addresses`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.address import address_key, domain_of
from newsletter.core.bounces import BOUNCES, Outcome
from newsletter.core.dead_addresses import MANY, WITHIN, enough_taken, is_another_day, is_providers_fault
from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.steps import dead_address
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import HeldDomain
from newsletter.store.bulk import among, in_chunks, insert
from newsletter.store.engine import Database
from newsletter.store.inbound_tables import inbound_events
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress
from newsletter.store.tables import IS_NOT_QUEUED, dead_addresses, deliveries, issues, subscribers

# A mail to an address whose mail came back has reached it if it has not come back after this time.
_COMES_BACK_WITHIN = timedelta(days=3)

# With the issue whose delivery found that out.
_UNDECIDED = (
    sa.select(
        dead_addresses.c.address_key,
        dead_addresses.c.domain,
        dead_addresses.c.reason,
        dead_addresses.c.called_by,
        issues.c.list,
        issues.c.day,
    )
    .join(issues, issues.c.key == dead_addresses.c.issue_key)
    .where(dead_addresses.c.held.is_(False))
)

# Of a delivery: it was taken, and came back.
CAME_BACK = (
    sa.select(inbound_events.c.key)
    .where(inbound_events.c.delivery_key == deliveries.c.key, inbound_events.c.kind.in_(BOUNCES))
    .exists()
)


async def judge(database: Database, *, now: datetime) -> list[HeldDomain]:
    """Decide on addresses that were called dead, as `newsletter.ports.Suppressions.judge` says."""
    async with database.read() as connection:
        if await connection.scalar(sa.select(dead_addresses.c.address_key).limit(1)) is None:
            return []
    async with database.write() as connection:
        await _forget_taken(connection, now)
    # What a domain took may be many deliveries to go through. Nobody who writes waits for that.
    async with database.read() as connection:
        undecided = (await connection.execute(_UNDECIDED)).all()
        domains = sorted({row.domain for row in undecided})
        held = [domain for domain in domains if await _is_providers_fault(connection, domain, now)]
    async with database.write() as connection:
        await database.alone(connection, WHO_GETS_MAIL)
        for some in in_chunks([row.address_key for row in undecided if row.domain in held]):
            these = among(connection, dead_addresses.c.address_key, some)
            await connection.execute(sa.update(dead_addresses).where(these).values(held=True))
        for row in undecided:
            if row.domain not in held:
                shown = _shown(row.called_by, row.list, row.day)
                of_row = {"reason": row.reason, "by": row.called_by, "evidence": shown}
                await suppress(connection, row.address_key, list_name=None, now=now, **of_row)
                await forget(connection, [row.address_key])
        return [one for one in await held_domains(connection) if one.domain in held]


async def note_dead(connection: AsyncConnection, change: Change) -> None:
    """Note that a relay called the address of a delivery dead. The caller is `alone` with WHO_GETS_MAIL."""
    await call_dead(connection, change.key, reason=dead_address(change), at=change.at, by=SuppressedBy.RELAY)


async def call_dead(
    connection: AsyncConnection, delivery_key: int, *, reason: str, at: datetime, by: SuppressedBy
) -> None:
    """Note that the address of a delivery was called dead; if it was, on another day, it is suppressed.

    The caller is `alone` with WHO_GETS_MAIL.
    """
    query = (
        sa.select(deliveries.c.email, deliveries.c.issue_key, issues.c.list, issues.c.day)
        .join(issues, issues.c.key == deliveries.c.issue_key)
        .where(deliveries.c.key == delivery_key)
    )
    delivery = (await connection.execute(query)).one()
    if not delivery.email:  # whoever it was is erased
        return
    key = address_key(delivery.email)
    known = sa.select(dead_addresses.c.since).where(dead_addresses.c.address_key == key)
    since = await connection.scalar(known)
    if since is None:
        row = {"address_key": key, "domain": domain_of(key), "issue_key": delivery.issue_key}
        row |= {"since": at, "reason": reason, "called_by": by, "held": False}
        await connection.execute(insert(connection, dead_addresses).on_conflict_do_nothing(), row)
    elif is_another_day(since, at):
        evidence = f"{_shown(by, delivery.list, delivery.day)}, as on {since:%F}"
        await suppress(connection, key, list_name=None, reason=reason, now=at, by=by, evidence=evidence)
        await forget(connection, [key])


def _shown(by: SuppressedBy, list_name: str, day: date) -> str:
    """Return what shows that an address is dead: that an issue to it was refused, or came back."""
    what = "a bounce of" if by is SuppressedBy.INBOUND else "the relay's answer to"
    return f"{what} {list_name} of {day:%F}"


async def _is_providers_fault(connection: AsyncConnection, domain: str, now: datetime) -> bool:
    lately = sa.and_(dead_addresses.c.domain == domain, dead_addresses.c.since > now - WITHIN)
    waiting = await connection.scalar(sa.select(sa.func.count()).select_from(dead_addresses).where(lately)) or 0
    dead = max(waiting, await _came_back_dead(connection, domain, now))
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
            IS_NOT_QUEUED,
            sa.func.lower(deliveries.c.email).endswith(f"@{domain}", autoescape=True),
        )
        .limit(enough_taken(dead))  # an issue has a million deliveries: no more are looked at than matter
        .subquery()
    )
    counted = await connection.scalar(sa.select(sa.func.count()).select_from(taken)) or 0
    return is_providers_fault(dead, counted, took_before=True)


async def _came_back_dead(connection: AsyncConnection, domain: str, now: datetime) -> int:
    """Return to how many addresses of a domain mail came back lately that calls them dead, decided ones included.

    Reports come one by one. So what is decided on already counts for the next of them.
    """
    email = sa.func.lower(deliveries.c.email)
    query = (
        sa.select(sa.func.count(email.distinct()))
        .select_from(inbound_events)
        .join(deliveries, deliveries.c.key == inbound_events.c.delivery_key)
        .where(
            inbound_events.c.at > now - WITHIN,
            inbound_events.c.outcome == Outcome.DEAD,
            email.endswith(f"@{domain}", autoescape=True),
        )
    )
    return int(await connection.scalar(query) or 0)


async def _took_before(connection: AsyncConnection, lately: sa.ColumnElement[bool]) -> bool:
    """Return whether any of some dead addresses took mail before."""
    before = (
        sa.select(deliveries.c.key)
        .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
        .join(dead_addresses, dead_addresses.c.address_key == subscribers.c.address_key)
        .where(lately, deliveries.c.state == DeliveryState.SENT, sa.not_(CAME_BACK))
        .limit(1)
    )
    return await connection.scalar(before) is not None


async def _forget_taken(connection: AsyncConnection, now: datetime) -> None:
    """Forget what was called dead and has been taken since.

    Where mail comes back later, that it was taken says nothing yet.
    """
    is_sure = sa.or_(
        dead_addresses.c.called_by != SuppressedBy.INBOUND, deliveries.c.updated_at < now - _COMES_BACK_WITHIN
    )
    taken = (
        sa.select(deliveries.c.key)
        .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
        .where(
            subscribers.c.address_key == dead_addresses.c.address_key,
            deliveries.c.state == DeliveryState.SENT,
            deliveries.c.updated_at > dead_addresses.c.since,
            is_sure,
            sa.not_(CAME_BACK),
        )
    )
    await connection.execute(sa.delete(dead_addresses).where(taken.exists()))


async def held_domains(connection: AsyncConnection) -> list[HeldDomain]:
    """Return the domains of which addresses are held."""
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


def is_on(list_name: str) -> sa.ColumnElement[bool]:
    """Return the condition that a dead address is on a list."""
    # A look into the index for each dead address; of all addresses of the list, there are a million.
    on_list = (
        sa.select(subscribers.c.key)
        .where(subscribers.c.list == list_name, subscribers.c.address_key == dead_addresses.c.address_key)
        .limit(1)
    )
    return on_list.scalar_subquery().is_not(None)


async def forget(connection: AsyncConnection, keys: Sequence[str]) -> bool:
    """Forget that addresses were called dead; return whether any was."""
    gone = sa.delete(dead_addresses).where(dead_addresses.c.address_key.in_(keys))
    return (await connection.execute(gone)).rowcount > 0
