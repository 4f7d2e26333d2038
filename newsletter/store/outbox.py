"""The deliveries still to be made, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.delivery import WAITING, Change, Delivery, DeliveryState, Uncertain
from newsletter.core.steps import OPEN, SUPPRESSED, Bar, barred, cut_off, withdrawal
from newsletter.ports import DeliveryRecord, Outbox
from newsletter.store.bulk import among, fetch, run
from newsletter.store.changes import take_steps
from newsletter.store.choices import read_choice
from newsletter.store.column_types import moment_text, read_moment
from newsletter.store.engine import Database
from newsletter.store.issues import state_counts
from newsletter.store.statements import CLAIM, CLAIM_OF_ISSUE, HOLD
from newsletter.store.subscriber_rows import subscriber_of
from newsletter.store.suppressing import WHO_GETS_MAIL
from newsletter.store.suppressions import note_dead
from newsletter.store.tables import deliveries, delivery_events, issues
from newsletter.store.workers import Workers

log = structlog.get_logger(__name__)

_CHUNK = 1000


class SqlOutbox(Outbox):
    """Deliveries, a row each, with the workers that hold them."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers

    @override
    def worker(self) -> AbstractAsyncContextManager[str]:
        return self._workers.register()

    @override
    async def claim(
        self, worker: str, *, now: datetime, limit: int, issue_key: int | None = None
    ) -> list[Delivery]:
        await self._workers.confirm(worker)
        claim, asked = CLAIM, {"now": moment_text(now), "limit": limit}
        if issue_key is not None:
            claim, asked["issue_key"] = CLAIM_OF_ISSUE, issue_key
        async with self._database.write() as connection:
            while rows := await fetch(connection, claim, **asked):
                await run(connection, HOLD, worker=worker, keys=[row[0] for row in rows])
                claims = [_claimed(row) for row in rows]
                barred_ones = [withdrawal(delivery.key, bar, now) for delivery, bar in claims if bar]
                await self._record(connection, barred_ones)
                if len(barred_ones) < len(claims):
                    return [delivery for delivery, bar in claims if not bar]
            return []

    @override
    async def hasten(self, issue_key: int, *, now: datetime, states: Collection[DeliveryState] = WAITING) -> None:
        wanted = sa.update(deliveries).where(deliveries.c.issue_key == issue_key, deliveries.c.state.in_(states))
        async with self._database.write() as connection:
            await connection.execute(wanted.values(due_at=now))
            later = deliveries.c.ready_at > now
            await connection.execute(wanted.where(later).values(ready_at=now, next_attempt_at=now))

    @override
    async def withdraw_late(self, issue_key: int, *, due_before: datetime, reason: str, now: datetime) -> int:
        late = (
            sa.select(deliveries.c.key)
            .where(
                deliveries.c.issue_key == issue_key,
                deliveries.c.ready_at.is_not(None),
                deliveries.c.due_at < due_before,
            )
            .order_by(deliveries.c.key)
            .limit(_CHUNK)
            .with_for_update(skip_locked=True)
        )
        withdrawn = 0
        async with self._database.write() as connection:
            while keys := list(await connection.scalars(late)):
                await self._record(connection, [withdrawal(key, Bar(reason), now) for key in keys])
                withdrawn += len(keys)
        return withdrawn

    @override
    async def record(self, changes: Sequence[Change]) -> frozenset[int]:
        async with self._database.write() as connection:
            return await self._record(connection, changes)

    async def _record(self, connection: AsyncConnection, changes: Sequence[Change]) -> frozenset[int]:
        if any(change.suppress for change in changes):
            await self._database.alone(connection, WHO_GETS_MAIL)
        walked = await take_steps(connection, changes)
        for change in walked.suppress:
            await note_dead(connection, change)
        for change, reason in walked.left_out:
            log.warning("change_left_out", delivery=change.key, to=change.state.value, reason=reason)
        return frozenset(change.key for change, _ in walked.left_out)

    @override
    async def release(self, worker: str, keys: Collection[int]) -> None:
        async with self._database.write() as connection:
            await _give_back(connection, [worker], among(connection, deliveries.c.key, keys))

    @override
    async def dead_workers(self) -> list[str]:
        names = sa.select(deliveries.c.claimed_by).where(deliveries.c.claimed_by.is_not(None)).distinct()
        async with self._database.read() as connection:
            holders = [str(name) for name in await connection.scalars(names)]
        return sorted(await self._workers.dead(holders))

    @override
    async def recover(
        self,
        policy: Uncertain,
        *,
        now: datetime,
        workers: Collection[str] | None = None,
        unread: Collection[str] = (),
    ) -> int:
        # Who is dead stays dead: no name is borne twice.
        dead = [name for name in await self.dead_workers() if workers is None or name in workers]
        if not dead:
            return 0
        async with self._database.write() as connection:
            await self._record(connection, await _perhaps_begun(connection, set(dead) & set(unread), now))
            await _give_back(connection, dead)
            in_flight = await _in_flight(connection, dead)
            await self._record(connection, cut_off(in_flight, policy, now))
        log.info("workers_recovered", workers=dead, in_flight=len(in_flight), policy=policy.value)
        return len(in_flight)

    @override
    async def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        async with self._database.read() as connection:
            return (await state_counts(connection, [issue_key]))[issue_key]

    @override
    async def times(self, key: int, state: DeliveryState) -> int:
        query = (
            sa.select(sa.func.count())
            .select_from(delivery_events)
            .where(delivery_events.c.delivery_key == key, delivery_events.c.state == state)
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    @override
    async def suppressed_count(self, issue_key: int) -> int:
        query = (
            sa.select(sa.func.count())
            .select_from(deliveries)
            .where(
                deliveries.c.issue_key == issue_key,
                deliveries.c.state == DeliveryState.WITHDRAWN,
                deliveries.c.reason == SUPPRESSED,
            )
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    @override
    async def next_due(self, issue_key: int | None = None) -> datetime | None:
        """What a worker holds is not waited for."""
        query = sa.select(sa.func.min(deliveries.c.ready_at)).where(deliveries.c.ready_at.is_not(None))
        if issue_key is not None:
            query = query.where(deliveries.c.issue_key == issue_key)
        async with self._database.read() as connection:
            due: datetime | None = await connection.scalar(query)
        return due

    @override
    async def open_issues(self, list_name: str | None = None) -> list[int]:
        # A look into the index for each issue; EXISTS might be planned as a join with all deliveries there are.
        any_open = (
            sa.select(deliveries.c.key)
            .where(deliveries.c.issue_key == issues.c.key, deliveries.c.state.in_(OPEN))
            .limit(1)
            .scalar_subquery()
        )
        query = sa.select(issues.c.key).where(any_open.is_not(None)).order_by(issues.c.day, issues.c.key)
        if list_name is not None:
            query = query.where(issues.c.list == list_name)
        async with self._database.read() as connection:
            return list(await connection.scalars(query))

    @override
    async def issues_with(
        self, state: DeliveryState, *, list_name: str | None = None, day: date | None = None
    ) -> dict[int, int]:
        query = (
            sa.select(deliveries.c.issue_key, sa.func.count())
            .join(issues, issues.c.key == deliveries.c.issue_key)
            .where(deliveries.c.state == state)
            .group_by(deliveries.c.issue_key)
        )
        if list_name is not None:
            query = query.where(issues.c.list == list_name)
        if day is not None:
            query = query.where(issues.c.day == day)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(query)}

    @override
    async def records(
        self,
        *,
        list_name: str | None = None,
        day: date | None = None,
        states: Collection[DeliveryState] = (),
        limit: int = 1000,
    ) -> list[DeliveryRecord]:
        query = sa.select(*_RECORD).join(issues, issues.c.key == deliveries.c.issue_key)
        if list_name is not None:
            query = query.where(issues.c.list == list_name)
        if day is not None:
            query = query.where(issues.c.day == day)
        if states:
            query = query.where(deliveries.c.state.in_(states))
        query = query.order_by(issues.c.day.desc(), issues.c.key.desc(), deliveries.c.key).limit(limit)
        async with self._database.read() as connection:
            return [DeliveryRecord(**row) for row in (await connection.execute(query)).mappings()]


_RECORD = (
    deliveries.c.key,
    issues.c.list,
    issues.c.day,
    deliveries.c.email,
    deliveries.c.state,
    deliveries.c.due_at,
    deliveries.c.attempts,
    deliveries.c.updated_at,
    deliveries.c.next_attempt_at,
    deliveries.c.relay,
    deliveries.c.code,
    deliveries.c.text,
    deliveries.c.reason,
)

_STATES = {state.value: state for state in DeliveryState}


def _claimed(row: Sequence[Any]) -> tuple[Delivery, Bar | None]:
    """Return a delivery of `CLAIM`, and what bars its subscriber from mail."""
    key, issue_key, subscriber_key, state, due_at, attempts, chosen, subject, suppression, *values = row
    subscriber = subscriber_of(values)
    delivery = Delivery(
        key=key,
        issue_key=issue_key,
        subscriber_key=subscriber_key,
        subscriber=subscriber,
        state=_STATES[state],
        due_at=read_moment(due_at),
        attempts=attempts,
        choice=read_choice(chosen),
        subject=subject,
    )
    return delivery, barred(subscriber.status, suppression)


async def _give_back(
    connection: AsyncConnection, workers: Collection[str], which: sa.ColumnElement[bool] | None = None
) -> None:
    """Give back what workers claimed and did not begin; `which` narrows it to some deliveries."""
    await connection.execute(
        sa.update(deliveries)
        .where(
            deliveries.c.claimed_by.in_(workers),
            deliveries.c.state.in_(WAITING),
            sa.true() if which is None else which,
        )
        .values(claimed_by=None, ready_at=sa.func.coalesce(deliveries.c.next_attempt_at, deliveries.c.due_at))
    )


async def _perhaps_begun(connection: AsyncConnection, workers: Collection[str], now: datetime) -> list[Change]:
    """Return the intents that workers may have had for what they claimed."""
    query = (
        sa.select(deliveries.c.key, deliveries.c.attempts)
        .where(deliveries.c.claimed_by.in_(workers), deliveries.c.state.in_(WAITING))
        .order_by(deliveries.c.key)
    )
    rows = await connection.execute(query) if workers else ()
    return [Change(key=row.key, state=DeliveryState.SENDING, at=now, attempts=row.attempts + 1) for row in rows]


async def _in_flight(connection: AsyncConnection, workers: Collection[str]) -> list[tuple[int, int]]:
    query = (
        sa.select(deliveries.c.key, deliveries.c.attempts)
        .where(deliveries.c.claimed_by.in_(workers), deliveries.c.state == DeliveryState.SENDING)
        .order_by(deliveries.c.key)
        .with_for_update()
    )
    return [(row.key, row.attempts) for row in await connection.execute(query)]
