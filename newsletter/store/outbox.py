"""The deliveries still to be made, in SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import date, datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.delivery import WAITING, Change, Delivery, DeliveryState, Uncertain
from newsletter.core.steps import OPEN, SUPPRESSED, Bar, cut_off, withdrawal
from newsletter.ports import DeliveryRecord, Outbox
from newsletter.store.bulk import among
from newsletter.store.changes import take_steps
from newsletter.store.claiming import Held, bars_of, deliveries_of, hold_due
from newsletter.store.column_types import moment_text
from newsletter.store.dead_addresses import note_dead
from newsletter.store.engine import Database
from newsletter.store.plain_steps import PlainSteps, take_noted_steps
from newsletter.store.records import count_records, issues_with, read_records, records_of_subscriber
from newsletter.store.states import count_of_withdrawn, first_in_state, is_any_held, pieces_in_state, state_counts
from newsletter.store.suppressing import WHO_GETS_MAIL
from newsletter.store.tables import deliveries, delivery_events, issues
from newsletter.store.worker_notes import WorkerNotes, forget, note_writers, notes_of
from newsletter.store.workers import Workers

log = structlog.get_logger(__name__)

_PIECE = 2000  # deliveries that are changed in one transaction

# Changes the deliveries of some keys, in a transaction.
ChangesSome = Callable[[AsyncConnection, list[int]], Awaitable[None]]


class SqlOutbox(Outbox):
    """Deliveries, a row each, with the workers that hold them."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers
        self._notes = WorkerNotes(database, workers)
        # Writers of SQLite queue. Of claims and notes one at a time does: who leaves waits for no more than that.
        self._sending = asyncio.Lock() if not database.is_postgresql else nullcontext()

    @override
    @asynccontextmanager
    async def worker(self) -> AsyncIterator[str]:
        async with self._workers.register("delivery") as name:
            try:
                yield name
            finally:
                await self._notes.close()

    @override
    async def claim(self, worker: str, *, issue_key: int, now: datetime, limit: int) -> list[Delivery]:
        asked = {"issue_key": issue_key, "now": moment_text(now), "limit": limit, "worker": worker}

        async def hold(connection: AsyncConnection) -> Held:
            await self._workers.confirm(connection, worker)
            while True:
                held, are_barred = await hold_due(connection, asked)
                if not are_barred:
                    return held
                rows = held.read()
                bars = await bars_of(connection, rows)
                barred_ones = [withdrawal(row[0], bar, now) for row, bar in zip(rows, bars, strict=True) if bar]
                await self._record(connection, barred_ones)
                if len(barred_ones) < len(rows):
                    return Held([row for row, bar in zip(rows, bars, strict=True) if not bar])

        async with self._sending:
            held = await self._database.write_at_once(hold)
        return await deliveries_of(held)

    @override
    async def hasten(
        self, issue_key: int, *, now: datetime, states: Collection[DeliveryState] = WAITING, key: int | None = None
    ) -> int:
        async def hasten(connection: AsyncConnection, keys: list[int]) -> None:
            these = sa.update(deliveries).where(among(connection, deliveries.c.key, keys))
            await connection.execute(these.values(due_at=now))
            later = deliveries.c.ready_at > now
            await connection.execute(these.where(later).values(ready_at=now, next_attempt_at=now))

        which = () if key is None else (deliveries.c.key == key,)
        return sum([await self._in_pieces(issue_key, state, hasten, *which) for state in states])

    @override
    async def withdraw_late(self, issue_key: int, *, due_before: datetime, reason: str, now: datetime) -> int:
        async def withdraw(connection: AsyncConnection, keys: list[int]) -> None:
            await self._record(connection, [withdrawal(key, Bar(reason), now) for key in keys])
            this = sa.and_(issues.c.key == issue_key, issues.c.was_late.is_not(True))
            await connection.execute(sa.update(issues).where(this).values(was_missed=True, was_late=True))

        is_late = sa.and_(deliveries.c.ready_at.is_not(None), deliveries.c.due_at < due_before)
        withdrawn = 0
        for state in WAITING:
            async with self._database.read() as connection:  # among a million that are not, it takes long to find
                first = await connection.scalar(first_in_state(issue_key, state).where(is_late).limit(1))
            if first is not None:
                withdrawn += await self._in_pieces(issue_key, state, withdraw, is_late)
        return withdrawn

    async def _in_pieces(
        self, issue_key: int, state: DeliveryState, change: ChangesSome, *which: sa.ColumnElement[bool]
    ) -> int:
        """Change an issue's deliveries in a state, some in each transaction, so that others can write in between.

        Args:
            issue_key: the issue's.
            state: the state.
            change: is called in a transaction with the keys of some of the deliveries.
            which: narrows it to some deliveries. Then what another transaction holds just now is left out.

        Returns:
            How many there were.
        """
        count = 0
        async for found in pieces_in_state(self._database, issue_key, state, *which, size=_PIECE):
            async with self._database.write() as connection:
                these = (among(connection, deliveries.c.key, found), deliveries.c.state == state, *which)
                locked = sa.select(deliveries.c.key).where(*these).order_by(deliveries.c.key)
                keys = list(await connection.scalars(locked.with_for_update(skip_locked=bool(which))))
                if keys:
                    await change(connection, keys)
            count += len(keys)
        return count

    @override
    async def note(self, worker: str, number: int, changes: Sequence[Change]) -> frozenset[int]:
        async with self._sending:
            return await self._notes.write(worker, number, changes)

    @override
    async def record(
        self, changes: Sequence[Change], *, worker: str | None = None, noted: Sequence[int] = ()
    ) -> frozenset[int]:
        is_journals = worker is None and changes and not self._database.is_postgresql
        plain = PlainSteps.of(changes) if is_journals else None

        async def record(connection: AsyncConnection) -> frozenset[int]:
            if worker is None or not noted:
                return await self._record(connection, changes, worker, plain=plain)
            left: Sequence[Change] | None = None
            if self._database.is_postgresql:
                left = await take_noted_steps(connection, changes, worker, noted)
            if left is None:
                await forget(connection, worker, up_to=noted[-1])
                left = changes
            return await self._record(connection, left, worker, noted=True)

        async with self._sending:
            return await self._database.write_at_once(record)

    async def _record(
        self,
        connection: AsyncConnection,
        changes: Sequence[Change],
        worker: str | None = None,
        *,
        noted: bool = False,
        plain: PlainSteps | None = None,
    ) -> frozenset[int]:
        if any(change.suppress for change in changes):
            await self._database.alone(connection, WHO_GETS_MAIL)
        walked = await take_steps(connection, changes, worker, noted=noted, plain=plain)
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
            holders = {str(name) for name in await connection.scalars(names)}
            holders.update(await note_writers(connection))
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
        found = [name for name in await self.dead_workers() if workers is None or name in workers]
        if not found:
            return 0
        async with self._database.write() as connection:
            dead = await self._workers.bury(connection, found)
            for worker in sorted(dead):
                await self._record(connection, await notes_of(connection, worker), worker, noted=True)
                await forget(connection, worker)
            await self._record(connection, await _perhaps_begun(connection, dead & set(unread), now))
            await _give_back(connection, dead)
            in_flight = await _in_flight(connection, dead)
            await self._record(connection, cut_off(in_flight, policy, now))
        log.info("workers_recovered", workers=sorted(dead), in_flight=len(in_flight), policy=policy.value)
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
        async with self._database.read() as connection:
            return int(await connection.scalar(count_of_withdrawn(issue_key, SUPPRESSED)) or 0)

    @override
    async def next_due(self, issue_key: int) -> datetime | None:
        """What a worker holds is not waited for."""
        query = sa.select(sa.func.min(deliveries.c.ready_at)).where(
            deliveries.c.issue_key == issue_key, deliveries.c.ready_at.is_not(None)
        )
        async with self._database.read() as connection:
            due: datetime | None = await connection.scalar(query)
        return due

    @override
    async def is_held(self, issue_key: int) -> bool:
        async with self._database.read() as connection:
            return bool(await connection.scalar(is_any_held(issue_key)))

    @override
    async def due_count(self, issue_key: int, *, by: datetime, most: int) -> int:
        some = (
            sa.select(deliveries.c.key)
            .where(deliveries.c.issue_key == issue_key, deliveries.c.ready_at <= by)
            .limit(most)
        )
        async with self._database.read() as connection:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0)

    @override
    async def open_issues(self, list_name: str | None = None) -> list[int]:
        query = issues_with(OPEN, list_name=list_name, day=None).order_by(issues.c.day, issues.c.key)
        async with self._database.read() as connection:
            return list(await connection.scalars(query))

    @override
    async def issues_with(
        self, state: DeliveryState, *, list_name: str | None = None, day: date | None = None
    ) -> list[int]:
        query = issues_with([state], list_name=list_name, day=day).order_by(issues.c.day, issues.c.key)
        async with self._database.read() as connection:
            return list(await connection.scalars(query))

    @override
    async def records(
        self,
        *,
        list_name: str | None = None,
        day: date | None = None,
        states: Collection[DeliveryState] = (),
        limit: int = 1000,
    ) -> list[DeliveryRecord]:
        async with self._database.read() as connection:
            return await read_records(connection, list_name=list_name, day=day, states=states, limit=limit)

    @override
    async def of_subscriber(self, subscriber_key: int, list_name: str, *, limit: int) -> list[DeliveryRecord]:
        async with self._database.read() as connection:
            return await records_of_subscriber(connection, subscriber_key, list_name, limit=limit)

    @override
    async def count(
        self, *, list_name: str | None = None, day: date | None = None, states: Collection[DeliveryState] = ()
    ) -> int:
        async with self._database.read() as connection:
            return await count_records(connection, list_name=list_name, day=day, states=states)


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
