"""The store: listings, issues, subscribers and deliveries, in SQLite or PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import StoreError
from newsletter.core.events import Listener
from newsletter.ports import Store
from newsletter.store.engine import NO_SECRET, PATIENCE, Database, connect, sqlite_file
from newsletter.store.migrate import create, is_up_to_date, upgrade
from newsletter.store.sql import SqlStore

__all__ = ["open_store", "sqlite_file", "upgrade"]


async def open_store(
    url: str,
    *,
    patience: float = PATIENCE,
    hashes: AddressHashes = NO_SECRET,
    listeners: tuple[Listener, ...] = (),
) -> Store:
    """Open the store of a database.

    The file of an SQLite database is created, with its folder, and its tables are brought up to date. Those of
    PostgreSQL, which other machines may be using, are only looked at.

    Args:
        url: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, `sqlite://` (in memory, gone when it is
            closed) or `postgresql://user:password@host:port/name`.
        patience: how many seconds to wait for other processes' locks, or for a connection.
        hashes: of addresses, by the program's secret; by them those are recognised whose data was erased.
        listeners: who is told of events that this process writes down.

    Raises:
        ConfigurationError: the URL names no known kind of database.
        StoreError: the database cannot be reached, or its tables are not up to date; says what to do.
    """
    database = replace(connect(url, patience=patience), hashes=hashes, listeners=listeners)
    try:
        await _prepare(database, url, patience)
    except BaseException:
        await database.close()
        raise
    return SqlStore(database)


async def _prepare(database: Database, url: str, patience: float) -> None:
    if database.is_in_memory:
        async with database.write() as connection:
            await connection.run_sync(create)
    elif await is_up_to_date(database):
        return
    elif database.is_postgresql:
        raise StoreError(f"{database.where}: its tables are not up to date; run `newsletter db upgrade`")
    else:
        await upgrade(url, patience=patience)
