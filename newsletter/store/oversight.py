"""What operators look at, in SQL: ranges of indexes, never whole tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from typing_extensions import override

from newsletter.core.bounces import BOUNCES, EventKind, Outcome
from newsletter.core.delivery import DeliveryState
from newsletter.ports import CameBack, Oversight, Place, PlacedDelivery, Returned
from newsletter.ports.cluster import RelayRate
from newsletter.store.engine import Database
from newsletter.store.inbound_tables import inbound_events
from newsletter.store.records import issues_with, read_records_of
from newsletter.store.states import keys_in_state, state_counts
from newsletter.store.tables import IS_CLOSED, deliveries, delivery_events, issues, readings

_NOT_OURS = (Outcome.UNKNOWN, Outcome.FORGED, Outcome.KNOWN)
_LOOKED_AT = 100
_MOST_KINDS = 200  # of reports: status codes are what strangers write
_LATELY = timedelta(minutes=1)
_MOST_STEPS = 20_000  # of deliveries: at full speed those of a second or two, read in some 10 ms
_LEAST_SECONDS = 1.0  # steps are written together, so a shorter time says nothing


class SqlOversight(Oversight):
    """Numbers and rows for operators."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def totals(self, since: date) -> Mapping[DeliveryState, int]:
        query = sa.select(issues.c.key).where(issues.c.day >= since, IS_CLOSED)
        async with self._database.read() as connection:
            counts = await state_counts(connection, list(await connection.scalars(query)))
        return sum((Counter(count) for count in counts.values()), Counter(dict.fromkeys(DeliveryState, 0)))

    @override
    async def deliveries(
        self,
        states: Collection[DeliveryState],
        *,
        issue_key: int | None = None,
        after: Place | None = None,
        limit: int,
    ) -> list[PlacedDelivery]:
        query = issues_with(states, list_name=None, day=None).order_by(issues.c.key.desc())
        if issue_key is not None:
            query = query.where(issues.c.key == issue_key)
        if after is not None:
            query = query.where(issues.c.key <= after.issue_key)
        found: list[PlacedDelivery] = []
        async with self._database.read() as connection:
            for key, *_ in (await connection.execute(query)).all():
                behind = after.key if after is not None and key == after.issue_key else 0
                rest = limit - len(found)
                records = await read_records_of(connection, key, states, after=behind, limit=rest)
                found += [PlacedDelivery(Place(key, record.key), record) for record in records]
                if len(found) >= limit:
                    break
        return found

    @override
    async def came_back(self, since: datetime) -> list[CameBack]:
        events = inbound_events.c
        number = sa.func.count().label("number")
        query = (
            sa.select(events.kind, events.status, events.outcome, number)
            .where(events.at >= since, events.outcome.not_in(_NOT_OURS))
            .group_by(events.kind, events.status, events.outcome)
            .order_by(number.desc(), events.kind, events.status)
            .limit(_MOST_KINDS)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [
                CameBack(kind=row.kind, status=row.status, outcome=row.outcome, number=row.number) for row in rows
            ]

    @override
    async def read_counts(self, sources: Collection[str], since: date) -> Mapping[str, Mapping[date, int]]:
        query = sa.select(readings.c.source, readings.c.day, readings.c.listings).where(
            readings.c.source.in_(sources), readings.c.day >= since, readings.c.listings.is_not(None)
        )
        found: defaultdict[str, dict[date, int]] = defaultdict(dict)
        async with self._database.read() as connection:
            for source, day, number in await connection.execute(query):
                found[source][day] = number
        return found

    @override
    async def returned(self, since: datetime) -> list[Returned]:
        events = inbound_events.c
        came_back = (
            sa.select(issues.c.list, events.kind, sa.func.count())
            .select_from(inbound_events)
            .join(deliveries, deliveries.c.key == events.delivery_key)
            .join(issues, issues.c.key == deliveries.c.issue_key)
            .where(events.at >= since, events.outcome.not_in(_NOT_OURS), issues.c.frozen_at >= since)
            .group_by(issues.c.list, events.kind)
        )
        closed = sa.select(issues.c.key, issues.c.list).where(issues.c.frozen_at >= since, IS_CLOSED)
        async with self._database.read() as connection:
            lists = {row.key: row.list for row in await connection.execute(closed)}
            counts = await state_counts(connection, list(lists))
            back = {(name, kind): number for name, kind, number in await connection.execute(came_back)}
        of_list: defaultdict[str, Counter[DeliveryState]] = defaultdict(Counter)
        for key, name in lists.items():
            of_list[name].update(counts[key])
        return [
            Returned(
                list=name,
                sent=states[DeliveryState.SENT],
                refused=states[DeliveryState.REFUSED],
                bounced=sum(back.get((name, kind), 0) for kind in BOUNCES),
                complained=back.get((name, EventKind.COMPLAINT), 0),
            )
            for name, states in sorted(of_list.items())
        ]

    @override
    async def oldest_due(self, issue_key: int, state: DeliveryState) -> datetime | None:
        if state is DeliveryState.QUEUED:
            query = (
                sa.select(deliveries.c.due_at)
                .where(deliveries.c.issue_key == issue_key, deliveries.c.ready_at.is_not(None))
                .where(deliveries.c.state == state)
                .order_by(deliveries.c.ready_at, deliveries.c.key)
                .limit(1)
            )
        else:
            keys = keys_in_state(issue_key, state).limit(_LOOKED_AT).subquery()
            query = sa.select(sa.func.min(deliveries.c.due_at)).join(keys, keys.c.key == deliveries.c.key)
        async with self._database.read() as connection:
            return await connection.scalar(query)

    @override
    async def tried_days(self, source: str, since: date) -> frozenset[date]:
        query = sa.select(readings.c.day).where(readings.c.source == source, readings.c.day >= since)
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    @override
    async def relay_rates(self, *, now: datetime) -> list[RelayRate]:
        step, since = delivery_events.c, now - _LATELY
        # In the order of their keys, steps are as good as in that of their moments, which have no index.
        newest = sa.select(step.relay, step.state, step.at).order_by(step.key.desc()).limit(_MOST_STEPS).subquery()
        whole = sa.select(sa.func.count(), sa.func.min(newest.c.at)).select_from(newest)
        taken = (
            sa.select(newest.c.relay, sa.func.count())
            .where(newest.c.state == DeliveryState.SENT, newest.c.at > since, newest.c.relay != "")
            .group_by(newest.c.relay)
            .order_by(newest.c.relay)
        )
        async with self._database.read() as connection:
            number, oldest = (await connection.execute(whole)).one()
            mails = (await connection.execute(taken)).all()
        begun = max(since, oldest) if number == _MOST_STEPS else since
        seconds = max((now - begun).total_seconds(), _LEAST_SECONDS)
        return [RelayRate(relay=relay, per_second=count / seconds) for relay, count in mails]
