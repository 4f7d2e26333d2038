"""Deliveries that are due, as a worker claims them.

SQLite's answers stay text as long as its thread is at work with them: to read it, the thread would need the
interpreter's lock, which the event loop has while mail is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import Addressee, Delivery, DeliveryState
from newsletter.core.records import maker
from newsletter.core.steps import PAUSED, Bar, barred
from newsletter.core.subscriber import SubscriberStatus
from newsletter.store.bulk import in_chunks, is_sqlite, raw_connection, run
from newsletter.store.choices import read_choice
from newsletter.store.column_types import read_moment
from newsletter.store.statements import BY_INDEX, CLAIM, HOLD
from newsletter.store.tables import issues

Row = Sequence[Any]

_AT_ONCE = 50
_PAUSED_UNTIL = -1  # place in a row of `CLAIM`
_NUMBER, _CHOSEN = 6, slice(6, 8)  # … of the number of the choice, on SQLite; and of the choice and the subject
_BARS = slice(-3, None)  # the last three values of such a row …
_NO_BARS = [None, SubscriberStatus.ACTIVE.value, None]  # … which nearly all readers have

_addressee, _delivery = maker(Addressee), maker(Delivery)
_STATES = {state.value: state for state in DeliveryState}
_STATUSES = {status.value: status for status in SubscriberStatus}


class Held(NamedTuple):
    """What a worker holds: rows of `CLAIM`; on SQLite as JSON, with the choices that they have the numbers of."""

    rows: Sequence[Row] | str
    choices: str = ""

    def read(self) -> Sequence[Row]:
        """Return the rows, each with its choice and subject."""
        if not isinstance(self.rows, str):
            return self.rows
        rows = from_json(self.rows)
        choices = {number: (choice, subject) for number, choice, subject in from_json(self.choices)}
        for row in rows:
            row[_CHOSEN] = choices.get(row[_NUMBER], (None, None))
        return rows  # type: ignore[no-any-return]


async def hold_due(connection: AsyncConnection, asked: Mapping[str, Any]) -> tuple[Held, bool]:
    """Let the worker hold what is due; return it, and whether some of its readers may be barred from mail.

    Args:
        connection: in a transaction that writes.
        asked: the parameters of `CLAIM`, and the worker's name.
    """
    if is_sqlite(connection):
        [(rows, choices, are_barred)] = await run(connection, CLAIM, **asked)
        await run(connection, HOLD, worker=asked["worker"], rows=rows)
        return Held(rows, choices), bool(are_barred)
    driver = await raw_connection(connection)
    async with driver.pipeline():
        await driver.execute(BY_INDEX)
        cursor = await driver.execute(CLAIM.postgresql, asked)
        found = list(await cursor.fetchall())
    return Held(found), any([*row[_BARS]] != _NO_BARS for row in found)


async def bars_of(connection: AsyncConnection, rows: Sequence[Row]) -> list[Bar | None]:
    """Return what bars the reader of each row from mail, None where nothing does."""
    day = await _day_if_paused(connection, rows)
    return [None if [*row[_BARS]] == _NO_BARS else _bar(row, day) for row in rows]


async def deliveries_of(held: Held) -> list[Delivery]:
    """Return the deliveries; for many it takes long, so the event loop has its turns meanwhile."""
    claims: list[Delivery] = []
    for some in in_chunks(held.read(), _AT_ONCE):
        claims += map(_claimed, some)
        await asyncio.sleep(0)
    return claims


def _claimed(row: Row) -> Delivery:
    key, issue_key, subscriber_key, state, due_at, attempts, chosen, subject, email, name, *_ = row
    addressee, choice = _addressee((email, name)), read_choice(chosen)
    state, due_at = _STATES[state], read_moment(due_at)
    return _delivery((key, issue_key, subscriber_key, addressee, state, due_at, attempts, choice, subject))


def _bar(row: Row, day: str | None) -> Bar | None:
    """Return what bars the subscriber of a row from mail.

    Args:
        row: the row.
        day: of its issue (ISO 8601); None: nobody is known to pause.
    """
    *_, suppression, status, paused_until = row
    bar = barred(_STATUSES[status], suppression)
    return PAUSED if bar is None and day is not None and day < (paused_until or "") else bar


async def _day_if_paused(connection: AsyncConnection, rows: Sequence[Row]) -> str | None:
    """Return the day of the issue of rows, if any of their subscribers pauses or has paused.

    A pause withdraws what waits when it begins. But a reader may be planned just then, as they were before.
    """
    if not any(row[_PAUSED_UNTIL] for row in rows):
        return None
    day = await connection.scalar(sa.select(issues.c.day).where(issues.c.key == rows[0][1]))
    return None if day is None else day.isoformat()
