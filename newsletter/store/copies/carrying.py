"""What is carried over from the ledger that a backup takes the place of: what readers did by themselves since.

Who left stays out, and who was erased is erased again; who signed up, moved to another address or chose other
wishes finds that as it was. What the operator and the files did since is not carried over: it may be why one goes
back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import StoreError
from newsletter.core.subscriber import Origin
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Store, Suppression
from newsletter.store.column_types import read_moment
from newsletter.store.copies.attached import both
from newsletter.store.tables import EVERY_LIST

log = structlog.get_logger(__name__)

_KEPT = ("key", "list", "status", "created_at")  # of a reader whose wishes are carried over


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How much was carried over: suppressions, erased people, readers who came, moved or chose other wishes."""

    suppressions: int = 0
    erased: int = 0
    readers: int = 0


async def carry_over(store: Store, copy: Path, former: Path, hashes: AddressHashes, *, now: datetime) -> Carried:
    """Carry over into a copy, whose store is open, what readers did since.

    Args:
        store: of the copy.
        copy: its file.
        former: the ledger that it takes the place of, as an SQLite database of any version.
        hashes: by which erased people are recognised.
        now: the present moment, aware.

    Raises:
        StoreError: either cannot be read; the copy may hold some of it.
    """
    with both(copy, former) as database:
        readers = _carry_readers(database) if _is_same(database) else 0
        found = _new_suppressions(database)
        hidden = _carry_erased(database)
        addresses = _addresses(database) if hidden else []
    erased = [address for address in addresses if not hidden.isdisjoint(hashes.each(address))]
    for address in erased:
        await store.personal_data.erase(address, now=now)
    await store.suppressions.add(found, now=now)
    return Carried(suppressions=len(found), erased=len(hidden), readers=readers)


def is_same_ledger(copy: Path, former: Path) -> bool:
    """Return whether two are one ledger at different times; False, if one of them cannot be read."""
    try:
        with both(copy, former) as database:
            return _is_same(database)
    except StoreError:
        return False


def _is_same(database: sqlite3.Connection) -> bool:
    if "id" not in _columns(database, "former", "ledger"):
        return False
    mine, former = (database.execute(f"SELECT id FROM {one}.ledger").fetchone() for one in ("main", "former"))  # noqa: S608
    return bool(mine == former)


def _carry_readers(database: sqlite3.Connection) -> int:
    """Carry over who came by the web, who moved, and what readers chose; return how many readers changed."""
    shared = _shared_columns(database, "subscribers")
    own = [name for name in shared if name not in _KEPT]
    is_free = """NOT EXISTS (
        SELECT 1 FROM main.subscribers AS other
        WHERE other.list = former.list AND other.address_key = former.address_key AND other.key <> former.key
    )"""
    chosen = "coalesce(former.own_wishes_since, '') > coalesce(mine.own_wishes_since, '')"
    changed = database.execute(
        f"""
        UPDATE main.subscribers AS mine SET {", ".join(f"{name} = former.{name}" for name in own)}
        FROM former.subscribers AS former
        WHERE former.key = mine.key AND former.list = mine.list AND former.email <> '' AND mine.email <> ''
        AND (former.address_key <> mine.address_key OR {chosen if "own_wishes_since" in shared else "0"})
        AND {is_free}
        """  # noqa: S608
    ).rowcount
    came = _carry_new(
        database, "subscribers", f"former.origin = '{Origin.WEB}' AND former.email <> '' AND {is_free}"
    )
    _carry_new(database, "signups", f"{is_free.replace('subscribers', 'signups')}")
    return changed + came


def _carry_new(database: sqlite3.Connection, table: str, which: str) -> int:
    """Carry over rows whose numbers were given since, under their numbers: links in mails name them."""
    shared = ", ".join(_shared_columns(database, table))
    if not shared:
        return 0
    of_former = ", ".join(f"former.{name}" for name in shared.split(", "))
    last = database.execute("SELECT seq FROM main.sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return database.execute(
        f"INSERT INTO main.{table} ({shared}) SELECT {of_former} FROM former.{table} AS former "  # noqa: S608
        f"WHERE former.key > ? AND {which}",
        (last[0] if last else 0,),
    ).rowcount


def _new_suppressions(database: sqlite3.Connection) -> list[Suppression]:
    shared = _shared_columns(database, "suppressions")
    rows = database.execute(
        f"""
        SELECT {", ".join(f"former.{name}" for name in shared)} FROM former.suppressions AS former
        LEFT JOIN main.suppressions AS mine ON mine.address_key = former.address_key AND mine.list = former.list
        WHERE mine.list IS NULL
        """  # noqa: S608
    )
    return [_suppression(dict(zip(shared, row, strict=True))) for row in rows]


def _suppression(row: dict[str, str]) -> Suppression:
    return Suppression(
        address=row["address_key"],
        list=None if row["list"] == EVERY_LIST else row["list"],
        reason=row["reason"],
        since=read_moment(row["since"]),
        by=SuppressedBy(row.get("made_by", SuppressedBy.OPERATOR)),
        evidence=row.get("evidence", ""),
    )


def _carry_erased(database: sqlite3.Connection) -> set[str]:
    """Carry over the hashes of people who were erased since; return them."""
    if not _columns(database, "former", "erased"):
        return set()
    is_new = "hash NOT IN (SELECT hash FROM main.erased)"
    rows = database.execute(f"SELECT hash, key_id, stays, since FROM former.erased WHERE {is_new}").fetchall()  # noqa: S608
    database.executemany("INSERT INTO main.erased (hash, key_id, stays, since) VALUES (?, ?, ?, ?)", rows)
    return {row[0] for row in rows}


def _addresses(database: sqlite3.Connection) -> list[str]:
    """Return all addresses that a copy knows."""
    tables = ("subscribers", "signups", "suppressions", "dead_addresses", "address_changes")
    each = " UNION ".join(f"SELECT address_key FROM main.{table}" for table in tables)  # noqa: S608
    return [address for (address,) in database.execute(each)]


def _shared_columns(database: sqlite3.Connection, table: str) -> Sequence[str]:
    """Return the columns that a table has in both; the former ledger may be of an older version."""
    former = _columns(database, "former", table)
    return [name for name in _columns(database, "main", table) if name in former]


def _columns(database: sqlite3.Connection, schema: str, table: str) -> list[str]:
    return [name for _, name, *_ in database.execute(f"PRAGMA {schema}.table_info({table})")]
