"""How lists grow, in SQL: counted from the subscribers, kept by day."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.growth import ReaderDay, grown
from newsletter.core.subscriber import SubscriberStatus
from newsletter.ports import Grown, Growth
from newsletter.store.bulk import in_chunks, insert
from newsletter.store.engine import Database
from newsletter.store.growth_tables import reader_counts
from newsletter.store.tables import subscribers

_DAYS = 90
_ROWS_AT_ONCE = 500
_AGAIN = 2  # today and yesterday: what was counted before midnight was not the whole day

_IS_ACTIVE = subscribers.c.status == SubscriberStatus.ACTIVE


class SqlGrowth(Growth):
    """Counts of readers, a row for each list and day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def count(self, *, now: datetime) -> None:
        today = now.astimezone(UTC).date()
        days = [today - timedelta(days=ago) for ago in reversed(range(_DAYS))]
        begins = datetime.combine(days[0], time(), UTC)
        # Apart: what follows takes a second with a million subscribers, and nobody is to wait for one state of it.
        async with self._database.read() as connection:
            readers = await _numbers(connection, sa.func.count().filter(_IS_ACTIVE))
            joined = await self._by_day(connection, subscribers.c.created_at, sa.true(), begins)
            left = await self._by_day(connection, subscribers.c.updated_at, sa.not_(_IS_ACTIVE), begins)
        rows = [
            _row(name, one, now)
            for name, number in readers.items()
            for one in grown(number, joined[name], left[name], days)
        ]
        newest = days[-_AGAIN]
        async with self._database.write() as connection:
            for some in in_chunks(rows, _ROWS_AT_ONCE):
                put = insert(connection, reader_counts).values(list(some))
                changed = {name: put.excluded[name] for name in ("readers", "joined", "left", "counted_at")}
                is_new = sa.and_(
                    reader_counts.c.day >= newest, reader_counts.c.counted_at <= put.excluded.counted_at
                )
                await connection.execute(
                    put.on_conflict_do_update(index_elements=["list", "day"], set_=changed, where=is_new)
                )

    @override
    async def since(self, day: date, *, list_name: str | None = None) -> Grown:
        counted = reader_counts.c
        query = (
            sa.select(
                counted.day,
                sa.func.sum(counted.readers).label("readers"),
                sa.func.sum(counted.joined).label("joined"),
                sa.func.sum(counted.left).label("left"),
                sa.func.max(counted.counted_at).label("at"),
            )
            .where(counted.day >= day)
            .group_by(counted.day)
            .order_by(counted.day)
        )
        if list_name is not None:
            query = query.where(counted.list == list_name)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        days = [
            ReaderDay(day=row.day, readers=int(row.readers), joined=int(row.joined), left=int(row.left))
            for row in rows
        ]
        return Grown(days=tuple(days), counted_at=max((row.at for row in rows), default=None))

    async def _by_day(
        self,
        connection: AsyncConnection,
        moment: sa.Column[datetime],
        which: sa.ColumnElement[bool],
        since: datetime,
    ) -> defaultdict[str, dict[date, int]]:
        """Return how many subscribers have a moment on each day, by list."""
        if self._database.is_postgresql:
            day: Any = sa.cast(sa.func.timezone("UTC", moment), sa.Date)
        else:
            day = sa.type_coerce(sa.func.substr(sa.type_coerce(moment, sa.Text), 1, len("2026-03-12")), sa.Date)
        day = day.label("day")
        query = (
            sa.select(subscribers.c.list, day, sa.func.count().label("number"))
            .where(moment >= since, which)
            .group_by(subscribers.c.list, day)
        )
        found: defaultdict[str, dict[date, int]] = defaultdict(dict)
        for row in await connection.execute(query):
            found[row.list][row.day] = row.number
        return found


async def _numbers(connection: AsyncConnection, counted: sa.ColumnElement[int]) -> dict[str, int]:
    query = sa.select(subscribers.c.list, counted).group_by(subscribers.c.list)
    return {row[0]: row[1] for row in await connection.execute(query)}


def _row(list_name: str, one: ReaderDay, now: datetime) -> dict[str, Any]:
    counts = {"readers": one.readers, "joined": one.joined, "left": one.left}
    return {"list": list_name, "day": one.day, **counts, "counted_at": now}
