"""Numbers that are left out after a backup was restored: those that were given since stand in links of mails."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from newsletter.store.copies.attached import both

# Where nobody knows which were given since the backup, so many are left out.
GAP = 10_000_000

_NUMBERED = (("deliveries", "key"), ("delivery_events", "delivery_key"), ("inbound_events", "delivery_key"))


def leave_out_numbers(copy: Path, former: Path | None) -> None:
    """Let a copy give no number again that was given since it was made: links in mails would name others.

    Args:
        copy: the restored ledger, closed.
        former: the same ledger as it was at the end; None: it is not there.

    Raises:
        StoreError: one of them cannot be read or written.
    """
    with both(copy, former or copy) as database:
        counting = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
        for (table,) in database.execute(counting).fetchall():
            last = _next_number(database, table, former)
            database.execute("DELETE FROM main.sqlite_sequence WHERE name = ?", (table,))
            database.execute("INSERT INTO main.sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
        _renumber_last_delivery(database, _next_number(database, "deliveries", former))


def _next_number(database: sqlite3.Connection, table: str, former: Path | None) -> int:
    """Return the greatest number of a table that may have been given."""
    schema = "main" if former is None else "former"
    given = database.execute(f"SELECT seq FROM {schema}.sqlite_sequence WHERE name = ?", (table,)).fetchone()  # noqa: S608
    there = [database.execute(f"SELECT max(key) FROM {one}.{table}").fetchone()[0] for one in ("main", schema)]  # noqa: S608
    last = max(given[0] if given else 0, *(number or 0 for number in there))
    return int(last) + (GAP if former is None else 0)


def _renumber_last_delivery(database: sqlite3.Connection, last: int) -> None:
    """Give the newest delivery the greatest number: SQLite counts on from there.

    Its table, with its millions of rows, has no counter of its own. What comes back of this one mail finds it no
    more.
    """
    newest = database.execute("SELECT max(key) FROM main.deliveries").fetchone()[0]
    if newest is None or newest >= last:
        return
    for table, column in _NUMBERED:
        database.execute(f"UPDATE main.{table} SET {column} = ? WHERE {column} = ?", (last, newest))  # noqa: S608
