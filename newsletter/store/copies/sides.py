"""A database as a side of a copying: nobody else uses it meanwhile, and its rows are read and written in pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from newsletter.core.errors import StoreError
from newsletter.store.column_types import Compressed, Frozen
from newsletter.store.copies.digests import Row, alike
from newsletter.store.copies.postgresql import require_alone
from newsletter.store.engine import NAMED_AS, PATIENCE, connect, sqlite_file, store_errors
from newsletter.store.in_use import alone_with
from newsletter.store.migrate import revision_of

_ROWS = 5000  # of a page
_LARGE_ROWS = 500  # … where a row may be some hundred KB

_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('newsletter db copy', 0))"


@dataclass(frozen=True)
class CopySide:
    """A database that nobody else uses, by one connection. Transactions begin by `connection.begin()`."""

    connection: Connection
    name: str  # without a password

    @cached_property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; else it is SQLite."""
        return self.connection.dialect.name == "postgresql"

    @property
    def _driver(self) -> Any:
        return self.connection.connection.driver_connection

    def revision(self) -> str | None:
        """Return the revision of its tables; None: it has none of ours."""
        with self.connection.begin():
            return revision_of(self.connection)

    def require_alone(self) -> None:
        """Find out whether others are connected to PostgreSQL; SQLite's file is locked.

        Raises:
            StoreError: they are.
        """
        if self.is_postgresql:
            with self.connection.begin():
                require_alone(self.connection, self.name)

    def count(self, table: sa.Table) -> int:
        """Return how many rows a table has."""
        with self.connection.begin():
            return self.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def pages(self, table: sa.Table, after: str = "") -> Iterator[tuple[list[Row], str]]:
        """Yield the rows of a table, alike on both engines, in the order of its key; each page is read by itself.

        Args:
            table: the table.
            after: the key of the last row that is not wanted, as it is yielded; empty: all are wanted.

        Yields:
            Rows, and the key of the last of them.
        """
        page = _page_query(table, is_postgresql=self.is_postgresql)
        read = alike(table, is_postgresql=self.is_postgresql)
        places = [list(table.columns).index(column) for column in table.primary_key.columns]
        key = json.loads(after) if after else None
        while rows := read(self._rows(page(key is not None), key or ())):
            key = [rows[-1][place] for place in places]
            yield rows, json.dumps(key)

    def _rows(self, query: str, parameters: Sequence[Any]) -> list[Any]:
        with self.connection.begin():
            if not self.is_postgresql:
                found: list[Any] = self._driver.execute(query, parameters).fetchall()
                return found
            with self._driver.cursor(binary=True) as cursor:
                cursor.execute(query, parameters)
                rows: list[Any] = cursor.fetchall()
                return rows

    def write(self, table: sa.Table, rows: Sequence[Row]) -> None:
        """Write rows that are alike on both engines, within the caller's transaction."""
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        if self.is_postgresql:
            with (
                self._driver.cursor() as cursor,
                cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN') as copy,
            ):
                for row in rows:
                    copy.write_row(row)
        else:
            values = ", ".join("?" * len(table.columns))
            self._driver.executemany(f'INSERT INTO "{table.name}" ({columns}) VALUES ({values})', rows)  # noqa: S608


def _page_query(table: sa.Table, *, is_postgresql: bool) -> Callable[[bool], str]:
    """Return what gives the query of a page: of one that follows on a key, or of the first."""
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    key = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    places = ", ".join(["%s" if is_postgresql else "?"] * len(table.primary_key.columns))
    is_large = any(isinstance(column.type, (Compressed, Frozen)) for column in table.columns)
    end = f"ORDER BY {key} LIMIT {_LARGE_ROWS if is_large else _ROWS}"

    def query(follows: bool) -> str:  # noqa: FBT001 (the one thing in which they differ)
        which = f"WHERE ({key}) > ({places}) " if follows else ""
        return f'SELECT {columns} FROM "{table.name}" {which}{end}'  # noqa: S608

    return query


def place_of(url: str) -> str:
    """Return the name of a database for messages, such that it is found from any folder; without a password.

    Raises:
        ConfigurationError: the text is no URL of a database.
    """
    where, file = connect(url).where, sqlite_file(url)
    if file is not None:
        return f"SQLite database {file.absolute()}"
    port = sa.make_url(url).port
    return where if port is None else f"{where}:{port}"


@contextmanager
def alone_at(url: str) -> Iterator[CopySide]:
    """Open a database for a copying, and keep others from using it; of PostgreSQL, find out that nobody does.

    Raises:
        StoreError: others use it, or it cannot be opened.
    """
    name, file = place_of(url), sqlite_file(url)
    with ExitStack() as leaving, store_errors(name):
        if file is not None:
            leaving.enter_context(alone_with(file))
        connection = leaving.enter_context(_engine(url, is_sqlite=file is not None).connect())
        side = CopySide(connection, name)
        if file is None:
            with connection.begin():
                if not connection.scalar(sa.text(_TRY_LOCK)):
                    raise StoreError(f"{name}: another `newsletter db copy` is at it just now")
            side.require_alone()
        yield side


def _engine(url: str, *, is_sqlite: bool) -> sa.Engine:
    if is_sqlite:
        engine = sa.create_engine(
            sa.make_url(url).set(drivername="sqlite"),
            poolclass=NullPool,
            connect_args={"isolation_level": None, "timeout": PATIENCE},
        )
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    parameters = {"application_name": NAMED_AS, "options": f"-c lock_timeout={int(1000 * PATIENCE)}"}
    return sa.create_engine(
        parsed,
        poolclass=NullPool,
        connect_args={name: value for name, value in parameters.items() if name not in parsed.query},
    )
