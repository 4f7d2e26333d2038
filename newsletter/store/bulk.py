"""Many rows at once: statements that take a whole list as one parameter, or go straight to the driver.

SQLAlchemy looks at each value of each row and, on aiosqlite, crosses over to the driver's thread four times a
statement. For the few statements that every single delivery goes through, that is several times what the database
itself needs. These take values that the driver understands as they are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.store.column_types import moment_text
from newsletter.store.statements import Statement

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")


def is_sqlite(connection: AsyncConnection) -> bool:
    """Return whether a connection is to SQLite; else it is to PostgreSQL."""
    return connection.dialect.name == "sqlite"


def insert(connection: AsyncConnection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, which both engines write alike."""
    return insert_on(table, on_sqlite=is_sqlite(connection))


def insert_on(table: sa.Table, *, on_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """Return what `insert` does, for either engine."""
    if on_sqlite:
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def among(connection: AsyncConnection, column: sa.Column[T], values: Collection[T]) -> sa.ColumnElement[bool]:
    """Return the condition that a column has one of the values, however many: they are a single parameter."""
    on_sqlite = is_sqlite(connection)
    kind = sa.Text() if on_sqlite else sa.ARRAY(column.type)
    given = sa.literal(as_parameter(list(values), on_sqlite=on_sqlite), kind)
    return among_given(column, given, on_sqlite=on_sqlite)


def among_given(column: sa.Column[T], given: sa.ColumnElement[Any], *, on_sqlite: bool) -> sa.ColumnElement[bool]:
    """Return what `among` does, for a parameter that holds what `as_parameter` returns."""
    if on_sqlite:
        each = sa.func.json_each(given).table_valued("value")
        return column.in_(sa.select(each.c.value))
    return column == sa.any_(given)


def as_parameter(values: list[T], *, on_sqlite: bool) -> list[T] | str:
    """Return values as one parameter: on SQLite as JSON."""
    return json.dumps(values) if on_sqlite else values


def table_of(
    connection: AsyncConnection, values: Sequence[Sequence[Any]], **types: sa.types.TypeEngine[Any] | type
) -> sa.CTE:
    """Return any number of rows as a table for a statement: one parameter, however many they are.

    It is made once: else a join would read a row's JSON again for each row that it is joined with.

    Args:
        connection: of the engine that reads it.
        values: rows with the values of `types` in their order; see `rows`.
        types: the columns with their types in PostgreSQL. SQLite needs none.
    """
    return table_given(sa.literal(rows(values), sa.Text), on_sqlite=is_sqlite(connection), **types)


def table_given(
    given: sa.ColumnElement[str], *, on_sqlite: bool, **types: sa.types.TypeEngine[Any] | type
) -> sa.CTE:
    """Return what `table_of` does, for a parameter that holds what `rows` returns."""
    if on_sqlite:
        each = sa.func.json_each(given).table_valued("value")
        columns = [
            sa.func.json_extract(each.c.value, f"$[{place}]").label(name) for place, name in enumerate(types)
        ]
    else:
        each = sa.func.json_array_elements(sa.cast(given, sa.JSON)).table_valued("value")
        columns = [
            sa.cast(each.c.value.op("->>")(sa.literal_column(str(place))), kind).label(name)
            for place, (name, kind) in enumerate(types.items())
        ]
    return sa.select(*columns).cte("given").prefix_with("MATERIALIZED")


def all_of(connection: AsyncConnection, number: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """Return the aggregate of numbers as the text that `each_of` takes apart."""
    if is_sqlite(connection):
        return sa.func.json_group_array(number, type_=sa.Text)
    return sa.cast(sa.func.array_agg(number), sa.Text)


def each_of(connection: AsyncConnection, numbers: sa.ColumnElement[str]) -> sa.TableValuedAlias:
    """Return the numbers of a text as a table with the column `value`, for a lateral join."""
    if is_sqlite(connection):
        return sa.func.json_each(numbers).table_valued("value")
    array = sa.cast(numbers, sa.ARRAY(sa.BigInteger))
    return sa.func.unnest(array).table_valued(sa.column("value", sa.BigInteger)).render_derived()


def array_of(numbers: Sequence[int | None]) -> sa.ColumnElement[Any]:
    """Return numbers as an array of PostgreSQL: one parameter, which it takes apart far sooner than JSON."""
    text = ",".join(["NULL" if number is None else str(number) for number in numbers])
    return sa.cast(sa.literal(f"{{{text}}}", sa.Text), sa.ARRAY(sa.Integer))


def in_chunks(items: Sequence[T], size: int = 1000) -> Iterator[Sequence[T]]:
    """Cut a long sequence, so that what is made of it needs little memory."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def run(connection: AsyncConnection, statement: Statement, **parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement in the driver and return its rows, if it gives any, with values as they come from there.

    Args:
        connection: in a transaction.
        statement: one of `newsletter.store.statements`.
        parameters: text, numbers, None, lists of them, and what `rows` returns.
    """
    driver = await raw_connection(connection)
    if is_sqlite(connection):
        return list(await driver.execute_fetchall(statement.sqlite, _without_lists(parameters)))
    cursor = await driver.execute(statement.postgresql, parameters)
    return list(await cursor.fetchall()) if cursor.description else []


async def run_all(connection: AsyncConnection, statements: Sequence[tuple[Statement, Mapping[str, Any]]]) -> None:
    """Run statements that give no rows, one after the other; each with parameters as `run` takes them.

    Between two calls of SQLite's thread a transaction would wait for its turn in a busy event loop, and all others
    that write would wait for it. So these are one call. PostgreSQL is sent all of them before it is waited for.
    """
    if is_sqlite(connection):
        driver = await raw_connection(connection)
        await driver.execute_all([(one.sqlite, _without_lists(parameters)) for one, parameters in statements])
        return
    driver = await raw_connection(connection)
    async with driver.pipeline():
        for one, parameters in statements:
            await driver.execute(one.postgresql, parameters)


def _without_lists(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as SQLite takes them: lists as JSON."""
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in parameters.items()}


async def fetch(connection: AsyncConnection, statement: Statement, **parameters: Any) -> Sequence[Sequence[Any]]:
    """Run a SELECT as `run` does, and return many rows at once.

    SQLite's driver lets go of the interpreter and takes it up again for each row. While the event loop is busy
    this costs more than all else, so there the statement gives all rows as one value, an array of arrays in JSON.
    """
    found = await run(connection, statement, **parameters)
    return from_json(found[0][0]) if is_sqlite(connection) else found


def rows(values: Sequence[Sequence[Any]]) -> str:
    """Return any number of rows as one parameter of `run`, which writes them without asking Python for each.

    The values of a row are in the order of the statement's fields, and found by their place: to look each of them
    up by name would take the engines several times as long.

    Raises:
        ValueError: a datetime is naive.
    """
    return json.dumps(values, default=moment_text)


async def raw_connection(connection: AsyncConnection) -> Any:
    """Return the connection of aiosqlite or psycopg itself."""
    return (await connection.get_raw_connection()).driver_connection
