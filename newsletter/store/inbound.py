"""What came back, in SQL: each event once, and what follows from it in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.address import address_key
from newsletter.core.bounces import (
    BOUNCES,
    BY_MAIL,
    RECENT,
    Fate,
    FoundBy,
    InboundEvent,
    Outcome,
    outcome_of,
)
from newsletter.core.delivery import DeliveryState
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import LEFT
from newsletter.ports import InboundCount, InboundEvents, Taken
from newsletter.store.bulk import insert
from newsletter.store.dead_addresses import CAME_BACK, call_dead
from newsletter.store.engine import Database
from newsletter.store.inbound_tables import inbound_counts, inbound_events
from newsletter.store.leavings import leave
from newsletter.store.suppressing import WHO_GETS_MAIL, suppress
from newsletter.store.tables import deliveries, issues, subscribers

_MOST_FATES = 30  # of a reader's latest mails that are looked at
_COMPLAINED = "complained"
# What shows of a delivery that came back whose it was, other than an address.
_PROVEN = (
    sa.select(inbound_events.c.key)
    .where(
        inbound_events.c.delivery_key == deliveries.c.key,
        inbound_events.c.found_by.not_in([FoundBy.ADDRESS, FoundBy.NOTHING]),
    )
    .exists()
)


class _Reader(NamedTuple):
    """Whose an event is: a reader, and the delivery that it is about if it is about one."""

    subscriber_key: int
    list: str
    email: str
    found_by: FoundBy
    delivery_key: int | None = None
    day: date | None = None


class SqlInboundEvents(InboundEvents):
    """Events, a row each, and a row for each day, source and outcome with their number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def take(self, events: Sequence[InboundEvent], *, now: datetime, rehearse: bool = False) -> list[Taken]:
        async with self._database.write() as connection:
            await self._database.alone(connection, WHO_GETS_MAIL)
            transaction = await connection.begin_nested()
            taken = [await _taken(self._database, connection, event, now) for event in events]
            await _count(connection, taken, now)
            await (transaction.rollback() if rehearse else transaction.commit())
        return taken

    @override
    async def count_forged(self, source: str, *, now: datetime) -> None:
        async with self._database.write(durable=False) as connection:
            await _add(connection, source, Outcome.FORGED, 1, now)

    @override
    async def counts(self, *, since: date) -> list[InboundCount]:
        query = sa.select(inbound_counts).where(inbound_counts.c.day >= since)
        order = (inbound_counts.c.day, inbound_counts.c.source, inbound_counts.c.outcome)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(*order))).mappings()
            return [InboundCount(**row) for row in rows]


async def _taken(database: Database, connection: AsyncConnection, event: InboundEvent, now: datetime) -> Taken:
    """Take one event; what follows from it is done."""
    known = sa.select(inbound_events.c.key)
    if await connection.scalar(known.where(inbound_events.c.event_id == event.id)) is not None:
        return Taken(event=event, outcome=Outcome.KNOWN)
    if event.once and await connection.scalar(known.where(inbound_events.c.once == event.once)) is not None:
        return Taken(event=event, outcome=Outcome.FORGED)  # somebody uses a signature a second time
    reader = None if event.is_forged else await _reader(connection, event, now)
    if reader is not None and not reader.email:
        reader = None  # they are erased: nothing is kept of them
    outcome = await _outcome(connection, event, reader)
    await _keep(connection, event, reader, outcome, now)
    if reader is None:
        return Taken(event=event, outcome=outcome)
    await _follow(database, connection, event, reader, outcome, now)
    return Taken(event=event, outcome=outcome, list=reader.list, email=reader.email, found_by=reader.found_by)


async def _reader(connection: AsyncConnection, event: InboundEvent, now: datetime) -> _Reader | None:
    """Return whose an event is, or None."""
    if event.subscriber_key is not None:
        whose = sa.select(subscribers.c.list, subscribers.c.email).where(subscribers.c.key == event.subscriber_key)
        one = (await connection.execute(whose)).first()
        return _Reader(event.subscriber_key, one.list, one.email, event.found_by) if one and one.email else None
    query = sa.select(
        deliveries.c.key, deliveries.c.subscriber_key, deliveries.c.email, issues.c.list, issues.c.day
    ).join(issues, issues.c.key == deliveries.c.issue_key)
    found_by = event.found_by
    if event.delivery_key is not None:
        query = query.where(deliveries.c.key == event.delivery_key)
    elif event.address:
        found_by = FoundBy.SERVICE if event.is_vouched else FoundBy.ADDRESS
        query = (
            query.join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
            .where(
                subscribers.c.address_key == address_key(event.address),
                deliveries.c.state == DeliveryState.SENT,
                deliveries.c.updated_at > now - RECENT,
            )
            .order_by(deliveries.c.updated_at.desc(), deliveries.c.key.desc())
            .limit(1)
        )
    else:
        return None
    row = (await connection.execute(query)).first()
    # Who was erased has no address any more.
    return (
        _Reader(row.subscriber_key, row.list, row.email, found_by, row.key, row.day) if row and row.email else None
    )


async def _outcome(connection: AsyncConnection, event: InboundEvent, reader: _Reader | None) -> Outcome:
    if event.is_forged:
        return Outcome.FORGED
    if reader is None:
        return Outcome.UNKNOWN
    is_proven = reader.found_by is not FoundBy.ADDRESS
    fates = await _fates(connection, reader, is_proven=is_proven) if event.kind in BOUNCES else ()
    return outcome_of(event.kind, is_proven=is_proven, fates=fates)


async def _fates(connection: AsyncConnection, reader: _Reader, *, is_proven: bool) -> list[Fate]:
    """Return what became of a reader's latest mails, newest first; the one at hand came back."""
    query = (
        sa.select(deliveries.c.key, CAME_BACK.label("came_back"), _PROVEN.label("is_proven"))
        .where(
            deliveries.c.subscriber_key == reader.subscriber_key,
            sa.or_(deliveries.c.state == DeliveryState.SENT, deliveries.c.key == reader.delivery_key),
        )
        .order_by(deliveries.c.issue_key.desc())
        .limit(_MOST_FATES)
    )
    return [
        Fate(True, is_proven or bool(row.is_proven))
        if row.key == reader.delivery_key
        else Fate(bool(row.came_back), bool(row.is_proven))
        for row in await connection.execute(query)
    ]


async def _keep(
    connection: AsyncConnection, event: InboundEvent, reader: _Reader | None, outcome: Outcome, now: datetime
) -> None:
    row: dict[str, Any] = {
        "event_id": event.id,
        "once": event.once or None,
        "kind": event.kind,
        "subscriber_key": reader and reader.subscriber_key,
        "delivery_key": reader and reader.delivery_key,
        "found_by": reader.found_by if reader else FoundBy.NOTHING,
        "outcome": outcome,
        "status": event.status,
        "text": event.text if reader else "",  # what strangers write about nobody is not kept
        "at": now,
    }
    await connection.execute(sa.insert(inbound_events), row)


async def _follow(
    database: Database,
    connection: AsyncConnection,
    event: InboundEvent,
    reader: _Reader,
    outcome: Outcome,
    now: datetime,
) -> None:
    """Do what follows from an event for its reader."""
    issue = f"{reader.list} of {reader.day:%F}" if reader.day else reader.list
    if outcome is Outcome.DEAD and reader.delivery_key is not None:
        said = " ".join(part for part in (event.status, event.text) if part)
        why = said or f"its mail came back: {event.kind}"
        await call_dead(connection, reader.delivery_key, reason=why, at=now, by=SuppressedBy.INBOUND)
    elif outcome is Outcome.SUPPRESSED:
        evidence = f"a complaint about {issue}, by {event.source}: {event.text}"
        by = SuppressedBy.INBOUND
        await suppress(
            connection, reader.email, list_name=None, reason=_COMPLAINED, now=now, by=by, evidence=evidence
        )
    elif outcome is Outcome.LEFT:
        # Who leaves by mail has seen no page that says that it is done.
        is_told, evidence = event.source != BY_MAIL, f"by {event.source}"
        await leave(
            database,
            connection,
            reader.subscriber_key,
            reason=LEFT,
            now=now,
            evidence=evidence,
            is_told=is_told,
        )


async def _count(connection: AsyncConnection, taken: Sequence[Taken], now: datetime) -> None:
    """Add what events came to to the numbers of the day; what was known counts no more."""
    numbers = Counter((one.event.source, one.outcome) for one in taken if one.outcome is not Outcome.KNOWN)
    for (source, outcome), number in sorted(numbers.items()):
        await _add(connection, source, outcome, number, now)


async def _add(connection: AsyncConnection, source: str, outcome: Outcome, number: int, now: datetime) -> None:
    row = {"day": now.date(), "source": source, "outcome": outcome, "number": number}
    put = insert(connection, inbound_counts).values(row)
    more = {"number": inbound_counts.c.number + put.excluded.number}
    await connection.execute(put.on_conflict_do_update(index_elements=["day", "source", "outcome"], set_=more))
