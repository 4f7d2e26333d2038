"""Copies between PostgreSQL and a backup, table by table: values go over as both engines read them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from newsletter.core.errors import StoreError
from newsletter.store.column_types import moment_text
from newsletter.store.copies.files import url_of
from newsletter.store.copies.numbers import GAP
from newsletter.store.engine import NAMED_AS, PATIENCE, store_errors
from newsletter.store.migrate import create, revision_of
from newsletter.store.search_index import fill_index
from newsletter.store.tables import metadata

_AT_ONCE = 2000  # rows
# Tables that are no part of the ledger's own data: the search's index is made again from the listings.
_OWN_TABLES = r"""
    SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'alembic_version'
    AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE 'listing\_search%' ESCAPE '\'
"""
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND application_name = current_setting('application_name')
"""


@contextmanager
def _connected(url: str, where: str) -> Iterator[Connection]:
    """Give a connection in one transaction, which is rolled back by an exception."""
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    parameters = {"application_name": NAMED_AS, "options": f"-c lock_timeout={int(1000 * PATIENCE)}"}
    engine = sa.create_engine(
        parsed,
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
        connect_args={name: value for name, value in parameters.items() if name not in parsed.query},
    )
    with store_errors(where), engine.begin() as connection:
        yield connection


def copy_from_postgresql(url: str, target: Path, *, where: str) -> None:
    """Copy a ledger as it is at one moment into an empty file, as an SQLite database of the same revision.

    Raises:
        StoreError: it cannot be read, or a newer version of the program made it.
    """
    with _connected(url, where) as connection, store_errors(str(target)):
        revision = revision_of(connection)
        if revision is None:
            raise StoreError(f"{where}: holds no ledger: there is nothing to back up")
        _make_tables(target, revision)
        with closing(sqlite3.connect(target)) as copy:
            copy.execute("PRAGMA synchronous = OFF")  # it is nobody's before it is whole
            for (table,) in copy.execute(_OWN_TABLES).fetchall():
                _copy_table(connection, copy, table)
            _copy_numbers(connection, copy)
            copy.commit()


def _make_tables(target: Path, revision: str) -> None:
    engine = sa.create_engine(url_of(target), poolclass=NullPool)
    with engine.begin() as connection:
        create(connection, revision)


def _copy_table(connection: Connection, copy: sqlite3.Connection, table: str) -> None:
    names = [name for _, name, *_ in copy.execute(f'PRAGMA table_info("{table}")')]
    columns = ", ".join(f'"{name}"' for name in names)
    copy.execute(f'DELETE FROM "{table}"')  # noqa: S608 (migrations put a row into some)
    insert = f'INSERT INTO "{table}" ({columns}) VALUES ({", ".join("?" * len(names))})'  # noqa: S608
    found = connection.execution_options(yield_per=_AT_ONCE).execute(sa.text(f'SELECT {columns} FROM "{table}"'))  # noqa: S608
    for rows in found.partitions():
        copy.executemany(insert, [tuple(map(_as_sqlite, row)) for row in rows])


def _as_sqlite(value: Any) -> Any:
    """Return a value of PostgreSQL as the program keeps it in SQLite."""
    if isinstance(value, datetime):
        return moment_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _copy_numbers(connection: Connection, copy: sqlite3.Connection) -> None:
    """Let no number be given again that was given once: links in mails hold on to it."""
    copy.execute("CREATE TABLE IF NOT EXISTS ours (x)")  # `sqlite_sequence` is there from the first row on
    copy.execute("DROP TABLE ours")
    for table in _counting(copy):
        sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:name, 'key')"), {"name": table})
        last = connection.scalar(sa.text(f"SELECT last_value FROM {sequence}"))  # noqa: S608
        copy.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        copy.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


def _counting(copy: sqlite3.Connection) -> list[str]:
    """Return the tables whose numbers are never given again."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
    return [name for (name,) in copy.execute(query)]


def load_into_postgresql(url: str, source: Path, *, where: str) -> None:
    """Put what a backup of this version's tables holds in the place of a ledger, all of it or nothing.

    Raises:
        StoreError: other processes use the ledger, or it cannot be written.
    """
    with _connected(url, where) as connection, closing(sqlite3.connect(source)) as copy:
        require_alone(connection, where)
        tables = metadata.sorted_tables
        connection.execute(sa.text(f"TRUNCATE {', '.join(table.name for table in tables)}, listing_search"))
        for table in tables:
            _load_table(connection, copy, table)
        _load_numbers(connection, copy)
        fill_index(connection)


def require_alone(connection: Connection, where: str) -> None:
    """Find out whether other processes of this program are connected to the database.

    Raises:
        StoreError: there are.
    """
    if others := connection.scalar(sa.text(_OTHERS)):
        raise StoreError(
            f"{where}: {others} other connections of the program use it: stop `newsletter serve` and what else "
            "runs, then try again; nothing was changed"
        )


def leave_out_numbers(url: str, *, where: str) -> None:
    """Let a restored ledger give no number again that was given since its backup was made."""
    with _connected(url, where) as connection:
        for sequence, _ in _sequences(connection):
            last = connection.scalar(sa.text(f"SELECT last_value FROM {sequence}"))  # noqa: S608
            raised = {"sequence": sequence, "last": last + GAP}
            connection.execute(sa.text("SELECT setval(:sequence, :last)"), raised)


def _sequences(connection: Connection) -> Iterator[tuple[str, sa.Column[Any]]]:
    """Yield the sequences that number rows, each with its column."""
    for table in metadata.sorted_tables:
        key = next(iter(table.primary_key.columns))
        known = {"name": table.name, "column": key.name}
        sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:name, :column)"), known)
        if sequence is not None:
            yield sequence, key


def has_ledger(url: str, *, where: str) -> bool:
    """Return whether a database holds a ledger of this program."""
    with _connected(url, where) as connection:
        return revision_of(connection) is not None


def check_alone(url: str, *, where: str) -> None:
    """Find out the same for a database that nobody is connected to yet."""
    with _connected(url, where) as connection:
        require_alone(connection, where)


def _load_table(connection: Connection, copy: sqlite3.Connection, table: sa.Table) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    rows = copy.execute(f'SELECT {columns} FROM "{table.name}"')  # noqa: S608
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as loading:
        for row in rows:
            loading.write_row(row)


def _load_numbers(connection: Connection, copy: sqlite3.Connection) -> None:
    given = dict(copy.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    for sequence, key in _sequences(connection):
        highest = connection.scalar(sa.select(sa.func.max(key))) or 0
        last = max(highest, given.get(key.table.name, 0), 1)
        connection.execute(sa.text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})
