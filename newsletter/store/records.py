"""Deliveries as operators read them: issue by issue from the newest, until there are as many as are wanted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import DeliveryState
from newsletter.ports import DeliveryRecord
from newsletter.store.states import has_any, some_in_states, state_counts
from newsletter.store.tables import IS_CLOSED, deliveries, issues

_OF_DELIVERY = tuple(
    deliveries.c[name]
    for name in (
        "key",
        "email",
        "state",
        "due_at",
        "attempts",
        "updated_at",
        "next_attempt_at",
        "relay",
        "code",
        "text",
        "reason",
    )
)


async def read_records(
    connection: AsyncConnection,
    *,
    list_name: str | None,
    day: date | None,
    states: Collection[DeliveryState],
    limit: int,
) -> list[DeliveryRecord]:
    """Return deliveries as `newsletter.ports.DeliveryRecords.records` says."""
    found: list[DeliveryRecord] = []
    query = issues_with(states, list_name=list_name, day=day)
    for issue in (await connection.execute(query.order_by(issues.c.day.desc(), issues.c.key.desc()))).all():
        if len(found) == limit:
            break
        found += await read_records_of(connection, issue.key, states, limit=limit - len(found))
    return found


async def read_records_of(
    connection: AsyncConnection, issue_key: int, states: Collection[DeliveryState], *, after: int = 0, limit: int
) -> list[DeliveryRecord]:
    """Return an issue's first deliveries in some states, or in any; those behind `after` by their numbers."""
    query = sa.select(issues.c.list, issues.c.day, issues.c.terms).where(issues.c.key == issue_key)
    issue = (await connection.execute(query)).one()
    rows = await connection.execute(_of_issue(issue_key, states or tuple(DeliveryState), after, limit))
    of_issue = {"list": issue.list, "day": issue.day, "timezone": issue.terms.timezone}
    return [DeliveryRecord(**of_issue, **row) for row in rows.mappings()]


async def records_of_subscriber(
    connection: AsyncConnection, subscriber_key: int, list_name: str, *, limit: int
) -> list[DeliveryRecord]:
    """Return deliveries as `newsletter.ports.DeliveryRecords.of_subscriber` says."""
    query = (
        sa.select(issues.c.list, issues.c.day, issues.c.terms, *_OF_DELIVERY)
        .join_from(deliveries, issues, deliveries.c.issue_key == issues.c.key)
        .where(deliveries.c.subscriber_key == subscriber_key, issues.c.list == list_name, IS_CLOSED)
        .order_by(issues.c.day.desc(), issues.c.key.desc())
        .limit(limit)
    )
    found = []
    for row in (await connection.execute(query)).mappings():
        values = dict(row)
        terms = values.pop("terms")
        found.append(DeliveryRecord(timezone=terms.timezone if terms else "UTC", **values))
    return found


async def count_records(
    connection: AsyncConnection, *, list_name: str | None, day: date | None, states: Collection[DeliveryState]
) -> int:
    """Return the count that `newsletter.ports.DeliveryRecords.count` describes."""
    keys = list(await connection.scalars(issues_with(states, list_name=list_name, day=day)))
    counts = await state_counts(connection, keys)
    return sum(count[state] for count in counts.values() for state in states or DeliveryState)


def issues_with(
    states: Collection[DeliveryState], *, list_name: str | None, day: date | None
) -> sa.Select[int, str, date]:
    """Return the SELECT of key, list and day of issues with deliveries in one of these states, in any order.

    Without a state, it is of all issues.
    """
    query = sa.select(issues.c.key, issues.c.list, issues.c.day).where(IS_CLOSED)
    if states:
        query = query.where(has_any(states))
    if list_name is not None:
        query = query.where(issues.c.list == list_name)
    if day is not None:
        query = query.where(issues.c.day == day)
    return query


def _of_issue(key: int, states: Collection[DeliveryState], after: int, limit: int) -> sa.Select[Any]:
    """Return the SELECT of an issue's first deliveries in some states."""
    keys = some_in_states(key, states, after=after, limit=limit).subquery()
    return sa.select(*_OF_DELIVERY).where(deliveries.c.key.in_(sa.select(keys.c.key))).order_by(deliveries.c.key)
