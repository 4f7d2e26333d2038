"""Several queries at once: PostgreSQL is sent all of them before it is waited for.

Each of a dozen queries takes less time than the way to the database and back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.store.bulk import is_sqlite, raw_connection

Row = Mapping[str, Any]


async def select_all(
    connection: AsyncConnection, queries: Sequence[sa.Select[Any]], values: Mapping[str, str]
) -> list[list[Row]]:
    """Run queries, and return the rows of each, by the names of their columns.

    Args:
        connection: in a transaction.
        queries: made once for the whole program, with named parameters for what differs: they are kept.
        values: the parameters of all of them, as text.
    """
    if is_sqlite(connection):
        return [[dict(row) for row in (await connection.execute(one, values)).mappings()] for one in queries]
    written = [_written(one, connection.dialect) for one in queries]
    driver = await raw_connection(connection)
    async with driver.pipeline():
        cursors = [await driver.execute(str(one.text), one.text.construct_params(values)) for one in written]
    return [
        [one.row(values) for values in await cursor.fetchall()]
        for one, cursor in zip(written, cursors, strict=True)
    ]


class _Written(NamedTuple):
    """A query in the words of PostgreSQL, and what reads the values of its columns where that is not their own."""

    text: Compiled
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def row(self, values: Sequence[Any]) -> Row:
        """Return a row as it comes from the driver, by the names of its columns."""
        return {
            name: value if read is None else read(value)
            for (name, read), value in zip(self.columns, values, strict=True)
        }


@lru_cache(maxsize=64)
def _written(query: sa.Select[Any], dialect: Dialect) -> _Written:
    text = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    columns = tuple(
        (str(column.key), column.type.dialect_impl(dialect).result_processor(dialect, None))
        for column in query.selected_columns
    )
    return _Written(text, columns)
