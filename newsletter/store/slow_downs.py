"""What holds mail up for a while, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from typing_extensions import override

from newsletter.ports import SlowDown, SlowDownKind, SlowDowns
from newsletter.store.engine import Database
from newsletter.store.tables import slow_downs


class SqlSlowDowns(SlowDowns):
    """What holds mail up for a while, a row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def known(self, *, now: datetime) -> list[SlowDown]:
        query = (
            sa.select(slow_downs)
            .where(slow_downs.c.forgotten_at > now)
            .order_by(slow_downs.c.kind, slow_downs.c.name)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [SlowDown(**row) for row in rows.mappings()]

    @override
    async def note(
        self,
        changed: Sequence[SlowDown],
        *,
        over: Collection[tuple[SlowDownKind, str]] = (),
        now: datetime,
    ) -> None:
        async with self._database.write() as connection:
            # Two processes that note the same things in different order would wait for each other for ever.
            await self._database.alone(connection, "note slow-downs")
            await connection.execute(sa.delete(slow_downs).where(slow_downs.c.forgotten_at <= now))
            for kind, name in {*over, *((slow_down.kind, slow_down.name) for slow_down in changed)}:
                this = (slow_downs.c.kind == kind, slow_downs.c.name == name)
                await connection.execute(sa.delete(slow_downs).where(*this))
            if changed:
                await connection.execute(sa.insert(slow_downs), [asdict(slow_down) for slow_down in changed])
