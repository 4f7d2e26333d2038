"""Several statements at once: PostgreSQL is sent all of them before it is waited for.

Each of a dozen takes less time than the way to the database and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.store.bulk import is_sqlite, raw_connection

Row = Mapping[str, Any]

# Made once for the whole program, with named parameters for what differs, and without IN: its text is kept.
Query: TypeAlias = "sa.Select[*tuple[Any, ...]] | sa.Insert | sa.Update | sa.Delete"
Together: TypeAlias = tuple[Query, Mapping[str, Any]]

_ALONE = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("what", type_=sa.Text), 0)))


async def select_all(
    connection: AsyncConnection, queries: Sequence[sa.Select[Any]], values: Mapping[str, str]
) -> list[list[Row]]:
    """Run queries as `run_together` does, with the same parameters for all of them."""
    return await run_together(connection, *((one, values) for one in queries))


async def run_together(connection: AsyncConnection, *statements: Together) -> list[list[Row]]:
    """Run statements one after the other, and return the rows of each, by the names of their columns.

    Args:
        connection: in a transaction.
        statements: each with its parameters, or the values of its columns.
    """
    if is_sqlite(connection):
        return [await _rows_of(connection, *one) for one in statements]
    dialect = connection.dialect
    written = [_written(one, dialect, _columns(one, values)) for one, values in statements]
    driver = await raw_connection(connection)
    async with driver.pipeline():
        cursors = [
            await driver.execute(str(one.text), one.parameters(values))
            for one, (_, values) in zip(written, statements, strict=True)
        ]
    return [
        [one.row(values) for values in await cursor.fetchall()] if one.columns else []
        for one, cursor in zip(written, cursors, strict=True)
    ]


async def run_alone(connection: AsyncConnection, what: str, *statements: Together) -> list[list[Row]]:
    """Wait until no other transaction does `what`, as `Database.alone` does, then `run_together`."""
    if is_sqlite(connection):
        return await run_together(connection, *statements)
    return (await run_together(connection, (_ALONE, {"what": what}), *statements))[1:]


async def _rows_of(connection: AsyncConnection, statement: Query, values: Mapping[str, Any]) -> list[Row]:
    result = await connection.execute(statement, values)
    return [dict(row) for row in result.mappings()] if result.returns_rows else []


def _columns(statement: Query, values: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the columns that a statement writes, by its values."""
    return None if isinstance(statement, sa.Select) else tuple(values)


class _Written(NamedTuple):
    """A statement in the words of PostgreSQL, with what writes values of parameters and reads those of columns.

    Where a value is the driver's own, nothing does.
    """

    text: Compiled
    write: Mapping[str, Callable[[Any], Any]]
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def parameters(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return all parameters as the driver takes them."""
        given = self.text.construct_params(dict(values)) or {}
        return {name: self.write[name](value) if name in self.write else value for name, value in given.items()}

    def row(self, values: Sequence[Any]) -> Row:
        """Return a row as it comes from the driver, by the names of its columns."""
        return {
            name: value if read is None else read(value)
            for (name, read), value in zip(self.columns, values, strict=True)
        }


@lru_cache(maxsize=128)
def _written(statement: Query, dialect: Dialect, written: tuple[str, ...] | None) -> _Written:
    text = statement.compile(dialect=dialect, column_keys=written, compile_kwargs={"render_postcompile": True})
    write = {
        name: processor
        for one, name in text.bind_names.items()
        if (processor := one.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    }
    shown = statement.selected_columns if isinstance(statement, sa.Select) else statement.exported_columns
    columns = tuple(
        (str(column.key), column.type.dialect_impl(dialect).result_processor(dialect, None)) for column in shown
    )
    return _Written(text, write, columns)
