"""Connections to the database: how SQLite and PostgreSQL are opened, and what their errors are called."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as TimedOutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool

from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import ConfigurationError, StoreError
from newsletter.core.events import Listener
from newsletter.ports import ClosingJobs
from newsletter.store import sqlite
from newsletter.store.pinging import ping_rarely
from newsletter.store.tables import complete_for_postgresql

# Long enough for another process to sync a list of a million subscribers for the first time.
PATIENCE = 60.0

_READERS = 4

_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, appendix A: error codes

# SQLite's readers wait for nobody but who puts the log in order after a crash.
_SECONDS_FOR_RECOVERY = 5.0

# What SQLite keeps of its write-ahead log; a long transaction makes much more of it.
_JOURNAL_BYTES = 64 * 1024 * 1024


NO_SECRET = AddressHashes()


Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Database:
    """One database, with one engine for reading and one for writing.

    On SQLite the writer is a single connection: writers of this process queue for it in order of arrival, instead
    of polling SQLite's lock, and readers are never in their way (WAL).
    """

    reader: AsyncEngine
    writer: AsyncEngine
    apart: AsyncEngine  # opens a connection for each who wants one, without a pool; in memory it is the writer
    where: str  # what and where it is, for messages; holds no password
    path: Path | None  # SQLite's file; None for PostgreSQL and for a database in memory
    patience: sqlite.Patience  # with the locks of other processes
    hashes: AddressHashes = NO_SECRET  # by which those are recognised whose data was erased
    listeners: tuple[Listener, ...] = ()  # who is told of events
    jobs: ClosingJobs | None = None  # writes the jobs of issues that are closed; None: no workers take any

    @property
    def is_postgresql(self) -> bool:
        """Return whether this is PostgreSQL; else it is SQLite."""
        return self.writer.dialect.name == "postgresql"

    @property
    def is_in_memory(self) -> bool:
        """Return whether it is gone when it is closed."""
        return self.path is None and not self.is_postgresql

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection that sees one unchanging state of the database.

        Raises:
            StoreError: the database cannot be read; one line that says which and why.
        """
        with store_errors(self.where):
            async with self.reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[AsyncConnection]:
        """Give a connection for one transaction; it is committed at the end, or rolled back by an exception.

        Args:
            durable: whether a power cut must not undo it once it is committed. If not, the disk is not waited for;
                then it is as durable as the next transaction that is.

        Raises:
            StoreError: the database cannot be written; one line that says which and why.
        """
        engine = self.writer if durable else self.writer.execution_options(**sqlite.NOT_DURABLE)
        with store_errors(self.where):
            async with engine.begin() as connection:
                if self.is_postgresql and not durable:
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    async with driver.pipeline():  # with the transaction's BEGIN, which is sent before it
                        await driver.execute("SET LOCAL synchronous_commit = off")
                yield connection

    async def read_at_once(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Do something short with a connection of `read`; on SQLite, in a single call of the connection's thread.

        Each call is answered in a later turn of the event loop, and these turns are long while mail is sent.

        Args:
            work: what to do; it waits for nothing but the connection.

        Raises:
            StoreError: the database cannot be read; one line that says which and why.
        """
        if self.is_postgresql:
            async with self.read() as connection:
                return await work(connection)
        with store_errors(self.where):
            async with self.reader.connect() as connection:

                async def whole() -> Result:
                    async with connection.begin():
                        return await work(connection)

                driver = await _driver(connection)
                return await driver.run_there(whole)

    async def write_at_once(
        self, work: Callable[[AsyncConnection], Awaitable[Result]], *, durable: bool = True
    ) -> Result:
        """Do something in one transaction of `write`; on SQLite, in two calls of the thread.

        The first may wait for another process. Nothing that this process has to do can come between the second's
        statements, so the lock is held for no longer than they take.

        Args:
            work: what to do; it waits for nothing but the connection.
            durable: see `write`.

        Raises:
            StoreError: the database cannot be written; one line that says which and why.
        """
        async with self.write(durable=durable) as connection:
            if self.is_postgresql:
                return await work(connection)
            transaction = connection.get_transaction()

            async def rest() -> Result:
                result = await work(connection)
                if transaction:
                    await transaction.commit()
                return result

            driver = await _driver(connection)
            return await driver.run_there(rest)

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for long work with temporary tables, which are gone when it is closed.

        Its transactions lock nothing before they write to another table. They begin by `connection.begin()`; the
        one that writes, by `write_aside`. A database in memory has one connection only: nobody else gets it.

        Raises:
            StoreError: the database cannot be used; one line that says which and why.
        """
        with store_errors(self.where):
            async with self.apart.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write_aside(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """Let a connection of `aside` write for one transaction, in turn with the writers of this process."""
        async with AsyncExitStack() as turn:
            if self.path is not None:
                await turn.enter_async_context(self.writer.connect())
                await connection.execution_options(**{sqlite.WRITES: True})
            async with connection.begin():
                yield

    async def alone(self, connection: AsyncConnection, what: str) -> None:
        """Wait until no other transaction does `what`; held until this one ends.

        SQLite's writers are alone anyway.
        """
        if self.is_postgresql:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))

    async def close(self) -> None:
        """Close all connections; who waits for another process's lock waits no longer."""
        self.patience.end()
        for engine in (self.apart, self.writer, self.reader):
            await engine.dispose()


async def _driver(connection: AsyncConnection) -> sqlite.Connection:
    """Return the connection to SQLite itself."""
    driver = (await connection.get_raw_connection()).driver_connection
    return cast("sqlite.Connection", driver)


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn errors of a database and its files into a StoreError of one line.

    Raises:
        StoreError: in place of any error of the driver, of the connection pool or of the file system.
    """
    try:
        yield
    except _database_errors() as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        line = " ".join(str(cause).split("\n")[0].split())
        raise StoreError(f"{where}: {line}{_hint(cause)}") from error


def _database_errors() -> tuple[type[Exception], ...]:
    """Return what a database and its files raise; beside SQLite psycopg is not loaded, and raises nothing."""
    psycopg = sys.modules.get("psycopg")
    of_postgresql = (psycopg.Error,) if psycopg else ()
    return (DBAPIError, sqlite3.Error, OSError, TimedOutError, *of_postgresql)


_HINTS = {
    "locked": "another process is writing to it, run again later",
    "malformed": "it is damaged: go on with a sound backup (docs/backup.md)",
    "disk": "see whether its disk is full, then run again",
    "unsupported startup parameter": "a pooler stands between: see docs/scaling.md",
    "too many clients": "raise its max_connections, or run fewer processes (docs/scaling.md)",
    "resolve host": "check NEWSLETTER_DATABASE__URL",
    "not a database": "it is another kind of file, or damaged: check NEWSLETTER_DATABASE__URL",
    "readonly database": "let this user write it, or check NEWSLETTER_DATABASE__URL",
    "unable to open": "check NEWSLETTER_DATABASE__URL and that the database can be reached",
    "connection": "check NEWSLETTER_DATABASE__URL and that the database can be reached",
}


# Of the file of SQLite, or of its folder.
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EROFS}


def _hint(error: BaseException) -> str:
    text = "locked" if getattr(error, "sqlstate", None) == _LOCK_NOT_AVAILABLE else str(error)
    if isinstance(error, OSError) and error.errno in _NOT_THERE:
        text = "unable to open"
    return next((f"; {hint}" for said, hint in _HINTS.items() if said in text), "")


def connect(text: str, *, patience: float = PATIENCE, foreign_keys: bool = True) -> Database:
    """Return the database of a URL; nothing is opened yet.

    Args:
        text: `sqlite:///relative/path.db`, `sqlite:////absolute/path.db`, `sqlite://` (in memory, gone when it is
            closed) or `postgresql://user:password@host:port/name`.
        patience: how many seconds to wait for other processes' locks, or for a connection.
        foreign_keys: whether SQLite checks them; migrations rebuild tables and cannot have it.

    Raises:
        ConfigurationError: the text is no such URL.
    """
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise _not_a_database() from None
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url, patience, foreign_keys=foreign_keys)
        case "postgresql":
            return _postgresql(url, patience)
        case _:
            raise _not_a_database()


def sqlite_file(address: str | URL) -> Path | None:
    """Return the file of an SQLite database's URL; None for one in memory, and for any other URL."""
    try:
        url = sa.make_url(address)
    except (ArgumentError, ValueError):
        return None
    in_memory = url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}
    return None if in_memory else Path(str(url.database))


def _not_a_database() -> ConfigurationError:
    return ConfigurationError(
        "NEWSLETTER_DATABASE__URL: not a database that is known; write sqlite:///var/newsletter.db or "
        "postgresql://user:password@host/name"
    )


def _sqlite(url: URL, patience: float, *, foreign_keys: bool) -> Database:
    path = sqlite_file(url)
    in_memory = path is None
    url = url.set(drivername="sqlite+aiosqlite")
    waiting = sqlite.Patience(patience)

    def engine(spell: float, *pragmas: str, writes: bool, **pool: Any) -> AsyncEngine:
        made = create_async_engine(
            url,
            # sqlite3's own transaction control begins too late and loses updates: see `prepare_connections`.
            connect_args={
                "timeout": min(patience, spell),
                "isolation_level": None,
                "async_creator_fn": sqlite.connect,
            },
            pool_reset_on_return=None,  # `read` and `write` end what they begin
            hide_parameters=True,  # errors are logged, and addresses don't belong there
            **pool,
        )
        sqlite.prepare_connections(made, [f"foreign_keys = {int(foreign_keys)}", *pragmas], waiting, writes=writes)
        return made

    def pooled(size: int) -> dict[str, Any]:
        # A queue within this process moves on; waiting for others ends by `patience`.
        return {
            "poolclass": AsyncAdaptedQueuePool,
            "pool_size": size,
            "max_overflow": 0,
            "pool_timeout": None,
        }

    writing = ("journal_mode = WAL", f"journal_size_limit = {_JOURNAL_BYTES}")
    writer = reader = apart = engine(sqlite.SPELL, *writing, writes=True, **pooled(1))
    if not in_memory:  # a database in memory is its one connection
        reader = engine(_SECONDS_FOR_RECOVERY, "query_only = 1", writes=False, **pooled(_READERS))
        apart = engine(sqlite.SPELL, *writing, "temp_store = FILE", writes=False, poolclass=NullPool)
    where = f"SQLite database {path or 'in memory'}"
    return Database(reader, writer, apart, where=where, path=path, patience=waiting)


NAMED_AS = "newsletter"  # by PostgreSQL, among its sessions

# libpq's parameters for PostgreSQL. A server that is gone without a word is noticed after a minute.
PARAMETERS = {
    "application_name": NAMED_AS,
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
}

# Seconds that a transaction may have nothing to do, before PostgreSQL ends it. A process that is stopped in the
# middle of one would hold its locks, and with them those who bring back what it held.
_LONGEST_IDLE = 20.0


def _postgresql(url: URL, patience: float) -> Database:
    complete_for_postgresql()
    # To compile a statement takes PostgreSQL longer than any of these statements takes.
    options: dict[str, int | str] = {"lock_timeout": int(1000 * patience), "jit": "off"}

    def engine(options: Mapping[str, int | str], **pool: Any) -> AsyncEngine:
        text = " ".join(f"-c {name}={value}" for name, value in options.items())
        parameters = {**PARAMETERS, "options": text}
        return create_async_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args={name: value for name, value in parameters.items() if name not in url.query},
            hide_parameters=True,  # errors are logged, and addresses don't belong there
            isolation_level="READ COMMITTED",  # whatever the server's own default is
            **pool,
        )

    idle = {"idle_in_transaction_session_timeout": int(1000 * _LONGEST_IDLE)}
    writer = engine({**options, **idle}, pool_pre_ping=True, pool_timeout=patience)
    ping_rarely(writer)
    reader = writer.execution_options(isolation_level="REPEATABLE READ")
    where = f"PostgreSQL database {url.database} at {url.host or url.query.get('host', 'the local socket')}"
    apart = engine(options, poolclass=NullPool)
    return Database(reader, writer, apart, where=where, path=None, patience=sqlite.Patience(patience))
