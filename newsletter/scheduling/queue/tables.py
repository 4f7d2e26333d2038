"""Procrastinate's tables, beside those of the ledger: made, and brought to the version of the library here.

The comment of its main table names the newest of its migrations that the tables have. Procrastinate keeps no such
note. It has migrations to run before a new version of it starts, and others after the last old one has ended; as
workers stand still while the database is upgraded, all of them are run then.
"""

from __future__ import annotations

from pathlib import Path

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

# What the tables have, where they are; in the words of PostgreSQL, an object's description.
REVISION = "SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class') AS revision"
_ALONE = "SELECT pg_advisory_lock(hashtextextended('upgrade jobs', 0))"


def newest_revision() -> str:
    """Return the newest migration of the library that is installed."""
    return _migrations()[-1].name


async def bring_up_to_date(conninfo: str) -> None:
    """Make the tables, or bring them up to date; safe to repeat, and for several at once.

    Args:
        conninfo: of the database, in libpq's words.

    Raises:
        psycopg.Error: the database cannot be reached or changed.
    """
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute(_ALONE)  # until the connection ends
        row = await (await connection.execute(REVISION)).fetchone()
        if row is None or row[0] is None:
            async with connection.transaction():
                await connection.execute(SchemaManager.get_schema())
                await _note(connection, newest_revision())
            return
        for migration in _migrations():
            if migration.name > row[0]:
                async with connection.transaction():
                    await connection.execute(migration.read_bytes())
                    await _note(connection, migration.name)


async def _note(connection: psycopg.AsyncConnection, revision: str) -> None:
    comment = sql.SQL("COMMENT ON TABLE procrastinate_jobs IS {}").format(sql.Literal(revision))
    await connection.execute(comment)


def _migrations() -> list[Path]:
    """Return the library's migrations, the oldest first: their names begin with its versions."""
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
