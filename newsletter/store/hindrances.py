"""What holds mail up for a while, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa
from typing_extensions import override

from newsletter.ports import Hindrance, HindranceKind, Hindrances
from newsletter.store.engine import Database
from newsletter.store.tables import hindrances


class SqlHindrances(Hindrances):
    """Hindrances, a row each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def known(self, *, now: datetime) -> list[Hindrance]:
        query = (
            sa.select(hindrances)
            .where(hindrances.c.forgotten_at > now)
            .order_by(hindrances.c.kind, hindrances.c.name)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(query)
            return [Hindrance(**row) for row in rows.mappings()]

    @override
    async def note(
        self,
        changed: Sequence[Hindrance],
        *,
        over: Collection[tuple[HindranceKind, str]] = (),
        now: datetime,
    ) -> None:
        async with self._database.write() as connection:
            # Two processes that note the same things in different order would wait for each other for ever.
            await self._database.alone(connection, "note hindrances")
            await connection.execute(sa.delete(hindrances).where(hindrances.c.forgotten_at <= now))
            for kind, name in {*over, *((hindrance.kind, hindrance.name) for hindrance in changed)}:
                this = (hindrances.c.kind == kind, hindrances.c.name == name)
                await connection.execute(sa.delete(hindrances).where(*this))
            if changed:
                await connection.execute(sa.insert(hindrances), [asdict(hindrance) for hindrance in changed])
