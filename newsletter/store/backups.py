"""What the ledger knows of its backups, in SQL."""

from __future__ import annotations

import sqlalchemy as sa
from typing_extensions import override

from newsletter.ports.backups import Backup, Backups
from newsletter.store.engine import Database
from newsletter.store.tables import ledger


class SqlBackups(Backups):
    """The newest one, in the ledger's own row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def newest(self) -> Backup | None:
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(ledger.c.backed_up_at, ledger.c.backed_up_to))).one()
        return None if row.backed_up_at is None else Backup(at=row.backed_up_at, file=row.backed_up_to or "")

    @override
    async def note(self, backup: Backup) -> None:
        values = {"backed_up_at": backup.at, "backed_up_to": backup.file}
        async with self._database.write() as connection:
            await connection.execute(sa.update(ledger).values(values))
