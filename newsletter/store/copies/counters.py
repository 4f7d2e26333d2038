"""The counters that number rows: a copy gives no number that the ledger has given, as links in mails name them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter.store.copies.sides import CopySide


def given_numbers(side: CopySide, tables: Iterable[sa.Table]) -> dict[str, int]:
    """Return the greatest number that each table has given; none has been given where a table is not named."""
    with side.connection.begin():
        if not side.is_postgresql:
            known = sa.text("SELECT name, seq FROM sqlite_sequence")
            return {name: last for name, last in side.connection.execute(known)}  # noqa: C416 (rows are no pairs)
        found = {}
        for table, sequence in _sequences(side.connection, tables):
            state = sa.text(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
            last, is_called = side.connection.execute(state).one()
            if is_called:
                found[table.name] = int(last)
        return found


def go_on_from(connection: Connection, tables: Iterable[sa.Table], given: dict[str, int]) -> None:
    """Let tables give greater numbers than were given, and than stand in them, from now on.

    A table of SQLite without a counter of its own goes on from the greatest number that stands in it.
    """
    if connection.dialect.name == "postgresql":
        for table, sequence in _sequences(connection, tables):
            if last := max(given.get(table.name, 0), _greatest(connection, table)):
                values = {"sequence": sequence, "last": last}
                connection.execute(sa.text("SELECT setval(:sequence, :last)"), values)
        return
    for table in tables:
        if table.dialect_options["sqlite"]["autoincrement"]:
            values = {"name": table.name, "last": max(given.get(table.name, 0), _greatest(connection, table))}
            connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)


def _greatest(connection: Connection, table: sa.Table) -> int:
    key = next(iter(table.primary_key.columns))
    return connection.scalar(sa.select(sa.func.max(key))) or 0


def _sequences(connection: Connection, tables: Iterable[sa.Table]) -> Iterator[tuple[sa.Table, str]]:
    """Yield the tables that PostgreSQL numbers, each with its sequence."""
    for table in tables:
        key = next(iter(table.primary_key.columns))
        known = {"name": table.name, "column": key.name}
        sequence = connection.scalar(sa.text("SELECT pg_get_serial_sequence(:name, :column)"), known)
        if sequence is not None:
            yield table, sequence
