"""What the operator said of closed issues, in SQL: two columns of each issue's row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.halt import GOES_OUT, Halt, HaltState, Order, obeyed
from newsletter.core.steps import CANCELLED, withdrawal
from newsletter.ports import Halts
from newsletter.store.changes import take_steps
from newsletter.store.engine import Database
from newsletter.store.states import first_in_state
from newsletter.store.tables import IS_CLOSED, deliveries, issues

_PIECE = 2000  # deliveries that are withdrawn in one transaction: in between, others can write
_STATE = sa.select(issues.c.halt, issues.c.halted_at, issues.c.paused_seconds).where(IS_CLOSED)


class SqlHalts(Halts):
    """Halts of issues, in the issues' own rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def of(self, issue_key: int) -> HaltState:
        query = _STATE.where(issues.c.key == issue_key)

        async def read(connection: AsyncConnection) -> HaltState:
            row = (await connection.execute(query)).first()
            return GOES_OUT if row is None else _state(row)

        return await self._database.read_at_once(read)

    @override
    async def obey(self, issue_key: int, order: Order, *, now: datetime) -> HaltState:
        this = issues.c.key == issue_key
        async with self._database.write() as connection:
            row = (await connection.execute(_STATE.where(this).with_for_update())).first()
            if row is None:
                raise UsageError("there is no such issue: see `newsletter issues list`")
            before = _state(row)
            state = obeyed(before, order, now)
            if state != before:
                values = {
                    "halt": state.halt,
                    "halted_at": state.since,
                    "paused_seconds": round(state.paused_for.total_seconds()) or None,
                }
                await connection.execute(sa.update(issues).where(this).values(values))
        return state

    @override
    async def withdraw(self, issue_key: int, *, now: datetime, most: int | None = None) -> int:
        withdrawn = 0
        for state in WAITING:
            while most is None or withdrawn < most:
                limit = _PIECE if most is None else min(_PIECE, most - withdrawn)
                count = await self._withdraw_some(issue_key, state, limit, now)
                if not count:
                    break
                withdrawn += count
        return withdrawn

    async def _withdraw_some(self, issue_key: int, state: DeliveryState, limit: int, now: datetime) -> int:
        this = issues.c.key == issue_key
        # What a worker has begun may have left by now, and its notes of that be on their way.
        is_free = deliveries.c.ready_at.is_not(None)
        some = first_in_state(issue_key, state).where(is_free).limit(limit).with_for_update(skip_locked=True)
        async with self._database.write() as connection:
            if await connection.scalar(sa.select(issues.c.halt).where(this)) is not Halt.CANCELLED:
                return 0
            keys: list[int] = list(await connection.scalars(some))
            if keys:
                await take_steps(connection, [withdrawal(key, CANCELLED, now) for key in keys])
                missed = sa.update(issues).where(this, issues.c.was_missed.is_not(True)).values(was_missed=True)
                await connection.execute(missed)
        return len(keys)


def _state(row: Sequence[Any]) -> HaltState:
    halt, since, seconds = row
    return HaltState(halt=halt, since=since, paused_for=timedelta(seconds=seconds or 0))
