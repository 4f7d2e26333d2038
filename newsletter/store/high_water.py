"""How far the ledger has come, in SQL."""

from __future__ import annotations

import sqlalchemy as sa
from typing_extensions import override

from newsletter.ports import HighWater, Reached
from newsletter.store.engine import Database
from newsletter.store.in_place import require_in_place
from newsletter.store.tables import ledger


class SqlHighWater(HighWater):
    """How far the ledger has come, in its own table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def read(self) -> Reached:
        async with self._database.read() as connection:
            await require_in_place(connection, self._database.where)
            row = (await connection.execute(sa.select(ledger.c.id, ledger.c.mark, ledger.c.copied_at))).one()
        path = self._database.path
        place = self._database.where if path is None else str(path.absolute())
        return Reached("" if self._database.is_in_memory else row.id, row.mark, row.copied_at, place)

    @override
    async def advance(self, *, at_least: int = 0) -> int:
        return await self._raise(at_least, {})

    @override
    async def accept(self, *, at_least: int) -> int:
        return await self._raise(at_least, {"copied_at": None})

    async def _raise(self, at_least: int, values: dict[str, None]) -> int:
        raised = ledger.c.mark + 1
        higher = sa.case((raised < at_least, at_least), else_=raised)
        async with self._database.write() as connection:
            mark: int | None = await connection.scalar(
                sa.update(ledger).values(mark=higher, **values).returning(ledger.c.mark)
            )
        return mark or 0
