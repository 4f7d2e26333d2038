"""Deliveries of issues by their state: found, counted and looked for in ranges of one index.

The index holds the issue, the state and the delivery's own key. Where PostgreSQL is asked for `issue_key = 7 AND
state = 'queued' ... LIMIT 1`, it may go through the whole table, since it expects to meet such a delivery soon. A
comparison of all three values in the order of the index leaves it no such choice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import DeliveryState
from newsletter.store.tables import deliveries, issues

# Nearly all deliveries of an issue end here. Their number is what is left of the issue's `delivery_count`.
_DERIVED = DeliveryState.SENT
_COUNTED = tuple(state for state in DeliveryState if state is not _DERIVED)

_IN_ORDER = (deliveries.c.issue_key, deliveries.c.state, deliveries.c.key)
_PLACE = sa.tuple_(*_IN_ORDER)
_BEYOND_ALL = 2**63 - 1  # the greatest key that there can be


def keys_in_state(issue_key: int, state: DeliveryState, *, after: int = 0) -> sa.Select[int]:
    """Return the SELECT of the keys of an issue's deliveries in a state, in their order; those `after` a key."""
    begin, end = _place(issue_key, state, after), _place(issue_key, state, _BEYOND_ALL)
    return sa.select(deliveries.c.key).where(begin < _PLACE, end > _PLACE).order_by(*_IN_ORDER)


def is_any_held(issue_key: int) -> sa.Select[bool]:
    """Return the SELECT of whether a worker holds deliveries of an issue."""
    held = deliveries.c.claimed_by.is_not(None)  # there is an index of these alone
    return sa.select(sa.exists().where(deliveries.c.issue_key == issue_key, held))


def count_of_withdrawn(issue_key: int, reason: str) -> sa.Select[int]:
    """Return the SELECT of how many deliveries of an issue were withdrawn for a reason."""
    which = (deliveries.c.issue_key == issue_key, deliveries.c.state == DeliveryState.WITHDRAWN)
    return sa.select(sa.func.count()).select_from(deliveries).where(*which, deliveries.c.reason == reason)


def has_any(states: Collection[DeliveryState]) -> sa.ColumnElement[bool]:
    """Return the condition, for a SELECT from `issues`, that an issue has deliveries in one of some states."""
    return sa.or_(*(_has(state) for state in states))


def _has(state: DeliveryState) -> sa.ColumnElement[bool]:
    """Return whether the first delivery from a place in the index on is of that issue and state."""
    is_that = sa.and_(deliveries.c.issue_key == issues.c.key, deliveries.c.state == state)
    begin = _place(issues.c.key, state, 0)
    return sa.select(is_that).where(begin < _PLACE).order_by(*_IN_ORDER).limit(1).scalar_subquery()


def _place(issue_key: Any, state: DeliveryState, key: int) -> sa.Tuple:
    literals = (sa.literal(state, deliveries.c.state.type), sa.literal(key, sa.BigInteger))
    return sa.tuple_(issue_key, *literals)


def _count_of(state: DeliveryState) -> sa.Label[int]:
    """Return the column, for a SELECT from `issues`, that counts an issue's deliveries in a state."""
    return (
        sa.select(sa.func.count())
        .select_from(deliveries)
        .where(deliveries.c.issue_key == issues.c.key, deliveries.c.state == state)
        .scalar_subquery()
        .label(state.value)
    )


async def state_counts(connection: AsyncConnection, keys: Sequence[int]) -> dict[int, dict[DeliveryState, int]]:
    """Return how many deliveries of each issue stand in each state; every state is there.

    Args:
        connection: in a transaction that sees one unchanging state of the database.
        keys: of the issues.
    """
    counts = {key: dict.fromkeys(DeliveryState, 0) for key in keys}
    query = sa.select(issues.c.key, issues.c.delivery_count, *map(_count_of, _COUNTED))
    for key, total, *counted in await connection.execute(query.where(issues.c.key.in_(keys))):
        counts[key].update(zip(_COUNTED, counted, strict=True))
        counts[key][_DERIVED] = total - sum(counted)
    return counts
