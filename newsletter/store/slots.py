"""What became of lists' slots, in SQL."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from typing_extensions import override

from newsletter.ports import Slots
from newsletter.store.bulk import insert
from newsletter.store.engine import Database
from newsletter.store.tables import slots


class SqlSlots(Slots):
    """A row for each list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def first_seen(self, list_name: str, *, now: datetime) -> datetime:
        query = sa.select(slots.c.first_seen_at).where(slots.c.list == list_name)
        async with self._database.read() as connection:
            known: datetime | None = await connection.scalar(query)
        if known is not None:
            return known
        async with self._database.write() as connection:
            row = insert(connection, slots).values(list=list_name, first_seen_at=now)
            await connection.execute(row.on_conflict_do_nothing())
            first: datetime = (await connection.execute(query)).scalar_one()
        return first

    @override
    async def in_vain(self, list_name: str) -> date | None:
        query = sa.select(slots.c.in_vain_on).where(slots.c.list == list_name)
        async with self._database.read() as connection:
            day: date | None = await connection.scalar(query)
        return day

    @override
    async def waits_since(self, list_name: str) -> date | None:
        query = sa.select(slots.c.first_seen_at, slots.c.in_vain_on).where(slots.c.list == list_name)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None or row.in_vain_on is None:
            return None
        first: date = min(row.first_seen_at.date(), row.in_vain_on)
        return first

    @override
    async def note_in_vain(self, list_name: str, day: date, *, now: datetime) -> None:
        async with self._database.write() as connection:
            row = insert(connection, slots).values(list=list_name, first_seen_at=now, in_vain_on=day)
            await connection.execute(
                row.on_conflict_do_update(index_elements=[slots.c.list], set_={"in_vain_on": day})
            )
