"""Counts that hold across processes and machines, in SQL."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.ports.shared_counts import SharedCounts
from newsletter.store.bulk import insert
from newsletter.store.column_types import Exact, Moment
from newsletter.store.engine import Database
from newsletter.store.tables import metadata

shared_counts = sa.Table(
    "shared_counts",
    metadata,
    sa.Column("name", Exact, primary_key=True),
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("until", Moment, nullable=False, index=True),
)


class SqlSharedCounts(SharedCounts):
    """A row for each. One whose time is over counts from one again; tidying removes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def add(self, name: str, *, now: datetime, until: datetime) -> int:
        counts, is_over = shared_counts.c, shared_counts.c.until <= now

        async def whole(connection: AsyncConnection) -> int:
            row = insert(connection, shared_counts).values(name=name, times=1, until=until)
            changed = {
                "times": sa.case((is_over, 1), else_=counts.times + 1),
                "until": sa.case((is_over, row.excluded.until), else_=counts.until),
            }
            once_more = row.on_conflict_do_update(index_elements=["name"], set_=changed)
            times: int = (await connection.execute(once_more.returning(counts.times))).scalar_one()
            return times

        return await self._database.write_at_once(whole, durable=False)
