"""Deliveries of issues by their state: found, counted and looked for in ranges of two indexes.

One holds the issue, the state and the delivery's own key, of all that are not queued. Where PostgreSQL is asked
for `issue_key = 7 AND state = 'deferred' ... LIMIT 1`, it may go through the whole table, since it expects to meet
such a delivery soon. A comparison of all three values in the order of the index leaves it no such choice.

What is queued is ready, or a worker holds it. Of what is ready another index holds the issue, the moment and the
key. It holds what is deferred, too. An index of its own has what workers hold, some thousands at most.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.store.bulk import in_chunks
from newsletter.store.engine import Database
from newsletter.store.tables import IS_NOT_QUEUED, deliveries, issues

_QUEUED = DeliveryState.QUEUED
NOT_QUEUED = tuple(state for state in DeliveryState if state is not _QUEUED)

# Nearly all deliveries of an issue end here. Their number is what is left of the issue's `delivery_count`.
_DERIVED = DeliveryState.SENT
_COUNTED = tuple(state for state in NOT_QUEUED if state is not _DERIVED)

_IN_ORDER = (deliveries.c.issue_key, deliveries.c.state, deliveries.c.key)
_PLACE = sa.tuple_(*_IN_ORDER)
_BEYOND_ALL = 2**63 - 1  # the greatest key that there can be

_IS_READY = deliveries.c.ready_at.is_not(None)
_AS_READY = (deliveries.c.issue_key, deliveries.c.ready_at, deliveries.c.key)
_IS_HELD = deliveries.c.claimed_by.is_not(None)  # there is an index of these alone

# Of what is queued, so many more than are asked for are put in the order of their keys: those that are due first.
_PUT_IN_ORDER = 10_000


def keys_in_state(issue_key: int, state: DeliveryState, *, after: int = 0) -> sa.Select[int]:
    """Return the SELECT of the keys of an issue's deliveries in a state, in their order; those `after` a key.

    It finds nothing that is queued: see `first_in_state`.
    """
    return sa.select(deliveries.c.key).where(*_between(issue_key, state, after)).order_by(*_IN_ORDER)


def first_in_state(
    issue_key: int, state: DeliveryState, *, after: Sequence[Any] | None = None
) -> sa.Select[int, datetime]:
    """Return the SELECT of key and `ready_at` of an issue's deliveries in a state, in the order of an index.

    Of those that are queued it finds what is ready, what is due first before the rest; see `held_in_state`.

    Args:
        issue_key: the issue's.
        state: the state.
        after: the row after which the next ones come; None: from the first one on.
    """
    query = sa.select(deliveries.c.key, deliveries.c.ready_at)
    if state is not _QUEUED:
        return query.where(*_between(issue_key, state, after[0] if after else 0)).order_by(*_IN_ORDER)
    query = query.where(deliveries.c.issue_key == issue_key, _IS_READY, deliveries.c.state == state)
    if after:
        key, ready_at = after
        place = sa.tuple_(sa.literal(ready_at, deliveries.c.ready_at.type), sa.literal(key, sa.BigInteger))
        query = query.where(sa.tuple_(deliveries.c.ready_at, deliveries.c.key) > place)
    return query.order_by(*_AS_READY)


def held_in_state(issue_key: int, state: DeliveryState) -> sa.Select[int]:
    """Return the SELECT of the keys of an issue's deliveries in a state that workers hold, in no order."""
    return sa.select(deliveries.c.key).where(
        _IS_HELD, deliveries.c.issue_key == issue_key, deliveries.c.state == state
    )


async def pieces_in_state(
    database: Database, issue_key: int, state: DeliveryState, *which: sa.ColumnElement[bool], size: int
) -> AsyncIterator[Sequence[int]]:
    """Yield the keys of an issue's deliveries in a state, some at a time; meanwhile they may change.

    Args:
        database: where they are.
        issue_key: the issue's.
        state: the state.
        which: narrows it to some deliveries.
        size: how many at a time, at most.
    """
    after: Sequence[Any] | None = None
    while True:
        some = first_in_state(issue_key, state, after=after).where(*which).limit(size)
        async with database.read() as connection:
            rows = (await connection.execute(some)).all()
        if not rows:
            break
        after = rows[-1]
        yield [row.key for row in rows]
    if state is _QUEUED:
        async with database.read() as connection:
            held = list(await connection.scalars(held_in_state(issue_key, state).where(*which)))
        for piece in in_chunks(held, size):
            yield piece


def some_in_states(issue_key: int, states: Collection[DeliveryState], *, after: int, limit: int) -> sa.Select[int]:
    """Return the SELECT of the first keys of an issue's deliveries in some states, those behind `after`.

    Of more than ten thousand that are queued, those are among them that are due first.
    """
    # The index holds those of each state in the order of their keys; those of several it would have to sort.
    parts = [keys_in_state(issue_key, state, after=after).limit(limit) for state in states if state is not _QUEUED]
    if _QUEUED in states:
        due_first = first_in_state(issue_key, _QUEUED).limit(limit + _PUT_IN_ORDER).subquery()
        held = held_in_state(issue_key, _QUEUED).subquery()
        parts += [sa.select(each.c.key).where(each.c.key > after) for each in (due_first, held)]
    found = sa.union_all(*(sa.select(each.subquery().c.key) for each in parts)).subquery()
    return sa.select(found.c.key).order_by(found.c.key).limit(limit)


def some_of_half_issue(issue_key: int, limit: int) -> sa.Select[int]:
    """Return the SELECT of the keys of some deliveries of an issue that is not closed yet."""
    conditions = (_IS_READY, IS_NOT_QUEUED)  # nobody holds any
    parts = (sa.select(deliveries.c.key).where(deliveries.c.issue_key == issue_key, one) for one in conditions)
    each = sa.union_all(*(sa.select(part.limit(limit).subquery().c.key) for part in parts)).subquery()
    return sa.select(each.c.key).limit(limit)


def is_any_held(issue_key: int) -> sa.Select[bool]:
    """Return the SELECT of whether a worker holds deliveries of an issue."""
    return sa.select(sa.exists().where(deliveries.c.issue_key == issue_key, _IS_HELD))


def count_of_withdrawn(issue_key: int, reason: str) -> sa.Select[int]:
    """Return the SELECT of how many deliveries of an issue were withdrawn for a reason."""
    which = (deliveries.c.issue_key == issue_key, deliveries.c.state == DeliveryState.WITHDRAWN, IS_NOT_QUEUED)
    return sa.select(sa.func.count()).select_from(deliveries).where(*which, deliveries.c.reason == reason)


def has_any(states: Collection[DeliveryState]) -> sa.ColumnElement[bool]:
    """Return the condition, for a SELECT from `issues`, that an issue has deliveries in one of some states."""
    conditions = [_has(state) for state in states if state is not _QUEUED]
    if _QUEUED in states:
        # What is ready is queued or deferred; in which of the two states it is, no index says.
        is_enough = sa.true() if set(WAITING) <= set(states) else deliveries.c.state == _QUEUED
        first = sa.select(sa.true()).where(deliveries.c.issue_key == issues.c.key, _IS_READY, is_enough)
        held = sa.select(deliveries.c.issue_key).where(_IS_HELD, deliveries.c.state == _QUEUED)
        conditions += [
            sa.func.coalesce(first.order_by(*_AS_READY).limit(1).scalar_subquery(), sa.false()),
            issues.c.key.in_(held),
        ]
    return sa.or_(*conditions)


def _has(state: DeliveryState) -> sa.ColumnElement[bool]:
    """Return whether the first delivery from a place in the index on is of that issue and state."""
    is_that = sa.and_(deliveries.c.issue_key == issues.c.key, deliveries.c.state == state)
    begin = _place(issues.c.key, state, 0)
    return sa.select(is_that).where(begin < _PLACE, IS_NOT_QUEUED).order_by(*_IN_ORDER).limit(1).scalar_subquery()


def _between(issue_key: int, state: DeliveryState, after: int) -> Sequence[sa.ColumnElement[bool]]:
    """Return the conditions for an issue's deliveries in a state that is not queued, behind a key."""
    begin, end = _place(issue_key, state, after), _place(issue_key, state, _BEYOND_ALL)
    return begin < _PLACE, end > _PLACE, IS_NOT_QUEUED


def _place(issue_key: Any, state: DeliveryState, key: int) -> sa.Tuple:
    literals = (sa.literal(state, deliveries.c.state.type), sa.literal(key, sa.BigInteger))
    return sa.tuple_(issue_key, *literals)


def _count_of(*which: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """Return the column, for a SELECT from `issues`, that counts some of an issue's deliveries."""
    counted = sa.select(sa.func.count()).select_from(deliveries)
    return counted.where(deliveries.c.issue_key == issues.c.key, *which).scalar_subquery()


async def state_counts(connection: AsyncConnection, keys: Sequence[int]) -> dict[int, dict[DeliveryState, int]]:
    """Return how many deliveries of each issue stand in each state; every state is there.

    What waits is ready or held, so what is queued is what is left of that without what is deferred.

    Args:
        connection: in a transaction that sees one unchanging state of the database.
        keys: of the issues.
    """
    counts = {key: dict.fromkeys(DeliveryState, 0) for key in keys}
    held = (
        sa.select(deliveries.c.issue_key, sa.func.count().label("number"))
        .where(_IS_HELD, deliveries.c.state.in_(WAITING))
        .group_by(deliveries.c.issue_key)
        .subquery()
    )
    of_states = [_count_of(deliveries.c.state == state, IS_NOT_QUEUED).label(state.value) for state in _COUNTED]
    waiting = (_count_of(_IS_READY) + sa.func.coalesce(held.c.number, 0)).label("waiting")
    query = (
        sa.select(issues.c.key, issues.c.delivery_count, waiting, *of_states)
        .outerjoin_from(issues, held, held.c.issue_key == issues.c.key)
        .where(issues.c.key.in_(keys))
    )
    for key, total, number, *counted in await connection.execute(query):
        counts[key].update(zip(_COUNTED, counted, strict=True))
        counts[key][_QUEUED] = number - counts[key][DeliveryState.DEFERRED]
        counts[key][_DERIVED] = total - sum(counts[key].values())
    return counts
