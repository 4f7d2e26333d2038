"""Beats, in SQL."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.ports.beats import Beat, Beats
from newsletter.store.alarm_tables import beats
from newsletter.store.bulk import insert
from newsletter.store.engine import Database

_KEPT_FOR = timedelta(days=1)


class SqlBeats(Beats):
    """A row for each work and process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def note(self, work: str, process: str, *, now: datetime, fresh_for: timedelta) -> None:
        beat = {"work": work, "process": process, "at": now, "fresh_until": now + fresh_for}

        async def whole(connection: AsyncConnection) -> None:
            row = insert(connection, beats).values(beat)
            learnt = {name: row.excluded[name] for name in ("at", "fresh_until")}
            await connection.execute(row.on_conflict_do_update(index_elements=["work", "process"], set_=learnt))
            others = sa.and_(beats.c.process != process, beats.c.fresh_until <= now - _KEPT_FOR)
            await connection.execute(sa.delete(beats).where(others))

        await self._database.write_at_once(whole, durable=False)

    @override
    async def newest(self) -> list[Beat]:
        found: dict[str, Beat] = {}
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(beats).order_by(beats.c.work, beats.c.at))
            for row in rows.mappings():
                found[row["work"]] = Beat(**row)
        return list(found.values())
