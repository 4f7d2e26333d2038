"""Bringing tables up to date, and finding out whether they are. Alembic runs without a file of its own.

It is imported only where tables are made: with its templates it takes a tenth of a second, and most commands find
nothing to do.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.core.errors import StoreError
from newsletter.store.engine import PATIENCE, Database, connect, store_errors
from newsletter.store.worker_tables import workers

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).with_name("migrations")


async def upgrade(url: str, *, patience: float = PATIENCE) -> None:
    """Create the tables of a database or bring them up to date; all of it or nothing.

    Args:
        url: as `newsletter.store.open_store` takes it. Folder and file of an SQLite database are created.
        patience: how many seconds to wait for other processes' locks, or for a connection.

    Raises:
        ConfigurationError: the URL names no known kind of database.
        StoreError: the database cannot be reached or changed, or a newer version of the program made it.
    """
    # SQLite rebuilds a table to change it, and must not follow references to the one it drops.
    database = connect(url, patience=patience, foreign_keys=False)
    try:
        if database.path is not None:
            _make_file(database.path, database.where)
        async with database.write() as connection:
            # Other processes that start at the same time wait here, and find nothing left to do.
            await database.alone(connection, "upgrade")
            await connection.run_sync(_upgrade, database)
    finally:
        await database.close()


async def is_up_to_date(database: Database) -> bool:
    """Return whether a database has just the tables that this version of the program needs."""
    if database.path is not None and not _is_file(database.path, database.where):
        return False
    async with database.read() as connection:
        return await connection.run_sync(revision_of) == newest_revision()


def create(connection: Connection, revision: str = "head") -> None:
    """Create the tables in an empty database by running migrations within the caller's transaction.

    Args:
        connection: to the database.
        revision: of the last one to run; `head` is the newest.
    """
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@cache  # a newer version may take the place of these files while this one runs
def newest_revision() -> str:
    """Return the revision of the newest migration: the number that its file's name begins with."""
    return max(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))


def _upgrade(connection: Connection, database: Database) -> None:
    from alembic.util import CommandError

    before = revision_of(connection)
    try:
        create(connection)
    except CommandError as error:
        raise StoreError(
            f"{database.where}: its tables are of revision {revision_of(connection)}, which this version of the "
            "program does not know; use the version that made them, or a newer one"
        ) from error
    if database.is_postgresql and before not in {None, revision_of(connection)}:
        connection.execute(sa.delete(workers))  # those of the version before know nothing of the new tables
    if not database.is_postgresql and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()):
        raise StoreError(
            f"{database.where}: {len(broken)} rows refer to rows that are not there; nothing was changed"
        )


def _make_file(path: Path, where: str) -> None:
    """Create an SQLite database's folder and file. It holds addresses: others on this machine can't read it."""
    with store_errors(where):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    _is_file(path, where)


def _is_file(path: Path, where: str) -> bool:
    """Return whether an SQLite database is there, and find out if it cannot be opened.

    aiosqlite would find out too, but its thread would then outlive the event loop and complain of that.
    """
    with store_errors(where):
        if not path.exists():
            return False
        sqlite3.connect(path).close()
        return True


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the tables, as Alembic notes it; None where there are none of ours."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
