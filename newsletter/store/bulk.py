"""Many rows at once: statements that take a whole list as one parameter, or go straight to the driver.

SQLAlchemy looks at each value of each row and, on aiosqlite, crosses over to the driver's thread four times a
statement. For the few statements that every single delivery goes through, that is several times what the database
itself needs. These take values that the driver understands as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.store.tables import moment_text

T = TypeVar("T")


def is_sqlite(connection: AsyncConnection) -> bool:
    """Tell whether a connection is to SQLite; else it is to PostgreSQL."""
    return connection.dialect.name == "sqlite"


def insert(connection: AsyncConnection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, which both engines write alike."""
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)


def among(connection: AsyncConnection, column: sa.Column[T], values: Collection[T]) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of the values, however many: they are a single parameter."""
    if is_sqlite(connection):
        each = sa.func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(sa.literal(list(values), postgresql.ARRAY(column.type)))


def in_chunks(items: Sequence[T], size: int = 1000) -> Iterator[Sequence[T]]:
    """Cut a long sequence, so that what is made of it needs little memory."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def run(connection: AsyncConnection, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement in the driver and return its rows, if it gives any, with values as they come from there.

    Args:
        connection: in a transaction.
        statement: SQL as for PostgreSQL, with parameters written `:name`.
        parameters: text, numbers, None; lists of them for `= ANY(:name)`; and what `rows` returns for
            `ROWS(:name) AS one(field type, …)`, which is no SQL but becomes a table of either engine's.
    """
    driver = await _driver(connection)
    if is_sqlite(connection):
        return list(await driver.execute_fetchall(_as_sqlite(statement), _for_sqlite(parameters)))
    cursor = await driver.execute(_for_psycopg(statement), parameters)
    return list(await cursor.fetchall()) if cursor.description else []


async def fetch(
    connection: AsyncConnection, fields: Sequence[str], statement: str, **parameters: Any
) -> Sequence[Sequence[Any]]:
    """Run a SELECT of these fields as `run` does, and return many rows at once.

    SQLite's driver lets go of the interpreter and takes it up again for each row. While the event loop is busy
    this costs more than all else, so the rows come as a single value.
    """
    if is_sqlite(connection):
        whole = f"SELECT json_group_array(json_array({', '.join(fields)})) FROM ({_as_sqlite(statement)})"  # noqa: S608
        [(found,)] = await (await _driver(connection)).execute_fetchall(whole, _for_sqlite(parameters))
        return json.loads(found)  # type: ignore[no-any-return]
    return await run(connection, statement, **parameters)


def _for_sqlite(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in parameters.items()}


def rows(values: Sequence[Sequence[Any]]) -> str:
    """Return any number of rows as one parameter of `run`, which writes them without asking Python for each.

    The values of a row are in the order of the statement's fields, and found by their place: to look each of them
    up by name would take the engines several times as long.

    Raises:
        ValueError: a datetime is naive.
    """
    return json.dumps(values, default=moment_text)


async def _driver(connection: AsyncConnection) -> Any:
    """Return the connection of aiosqlite or psycopg itself."""
    return (await connection.get_raw_connection()).driver_connection


@cache
def _as_sqlite(statement: str) -> str:
    """Return SQL in SQLite's words. Its writers are alone, so there is nothing to lock."""
    statement = re.sub(r"FOR UPDATE( OF \w+ SKIP LOCKED)?", "", statement)
    statement = _ROWS.sub(_sqlite_rows, statement)
    return re.sub(r"= ANY\((:\w+)\)", r"IN (SELECT value FROM json_each(\1))", statement)


@cache
def _for_psycopg(statement: str) -> str:
    return re.sub(r"(?<!:):(\w+)", r"%(\1)s", _ROWS.sub(_postgresql_rows, statement))


_ROWS = re.compile(r"ROWS\((:\w+)\) AS (\w+)\(([^)]*)\)")


def _sqlite_rows(found: re.Match[str]) -> str:
    rows, table, fields = found.groups()
    named = (f"json_extract(value, '$[{place}]') AS {name}" for place, (name, _) in enumerate(_fields(fields)))
    return f"(SELECT {', '.join(named)} FROM json_each({rows})) AS {table}"  # noqa: S608 - statements of ours alone


def _postgresql_rows(found: re.Match[str]) -> str:
    rows, table, fields = found.groups()
    named = (f"(value ->> {place})::{kind} AS {name}" for place, (name, kind) in enumerate(_fields(fields)))
    return f"(SELECT {', '.join(named)} FROM json_array_elements({rows})) AS {table}"  # noqa: S608 - as above


def _fields(text: str) -> Iterator[list[str]]:
    """Return the names and types of a table's fields."""
    return (field.split() for field in text.split(","))
