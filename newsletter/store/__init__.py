"""The store: listings, issues, subscribers and deliveries, in SQLite or PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import StoreError
from newsletter.core.events import Listener
from newsletter.ports import ClosingJobs, Store
from newsletter.store.conninfo import conninfo_of, is_postgresql
from newsletter.store.engine import NO_SECRET, PATIENCE, Database, connect, sqlite_file
from newsletter.store.in_place import require_in_place
from newsletter.store.in_use import InUse
from newsletter.store.link_key import require_link_key
from newsletter.store.migrate import create, is_up_to_date, upgrade
from newsletter.store.sql import SqlStore

__all__ = [
    "conninfo_of",
    "is_postgresql",
    "is_shared",
    "name_of",
    "open_if_up_to_date",
    "open_store",
    "sqlite_file",
    "upgrade",
]


async def open_store(
    url: str,
    *,
    patience: float = PATIENCE,
    hashes: AddressHashes = NO_SECRET,
    listeners: tuple[Listener, ...] = (),
    key_is_made: bool = False,
    jobs: ClosingJobs | None = None,
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
        key_is_made: whether the secret is one that this program made on this machine.
        jobs: writes the jobs of issues that are closed, in PostgreSQL; None: no workers take any.

    Raises:
        ConfigurationError: the URL names no known kind of database, this one was copied elsewhere or is half a
            copy, or machines that share it have made different secrets.
        StoreError: the database cannot be reached, its tables are not up to date, or a backup is being restored in
            its place; says what to do.
    """
    database = replace(connect(url, patience=patience), hashes=hashes, listeners=listeners, jobs=jobs)
    in_use = InUse(database.path) if database.path is not None else None
    try:
        await _prepare(database, url, patience)
        await require_link_key(database, is_made=key_is_made)
    except BaseException:
        await database.close()
        if in_use is not None:
            in_use.release()
        raise
    return SqlStore(database, in_use)


async def open_if_up_to_date(url: str) -> Store | None:
    """Open the store of a database that has just the tables of this version; None: it has others, or none.

    Raises:
        StoreError: the database cannot be reached.
    """
    database = connect(url)
    try:
        is_ready = await is_up_to_date(database)
    finally:
        await database.close()
    return await open_store(url) if is_ready else None


def name_of(url: str) -> str:
    """Return what a database is called in messages; it holds no password."""
    return connect(url).where


def is_shared(url: str) -> bool:
    """Return whether other processes can open a database, too."""
    return not connect(url).is_in_memory


async def _prepare(database: Database, url: str, patience: float) -> None:
    if database.is_in_memory:
        async with database.write() as connection:
            await connection.run_sync(create)
        return
    if not await is_up_to_date(database):
        if database.is_postgresql:
            raise StoreError(f"{database.where}: its tables are not up to date; run `newsletter db upgrade`")
        await upgrade(url, patience=patience)
    async with database.read() as connection:
        await require_in_place(connection, database.where)
