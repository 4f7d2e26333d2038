"""Copying a whole ledger into another database, of either engine.

The source is out of use from the beginning, so that nothing is missing in the copy; the target is used by nobody
before it is whole. Both say so in `ledger_copies`. A page of rows and how far it brought its table are one
transaction of the target, so whoever is killed goes on there. Each table is read back, and compared by the number
of its rows and a digest.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from newsletter.core.errors import ConfigurationError, StoreError, UsageError
from newsletter.core.ledger_copies import CopyMark, Side, Step, next_step
from newsletter.store.copies.counters import given_numbers, go_on_from
from newsletter.store.copies.digests import Digest
from newsletter.store.copies.sides import CopySide
from newsletter.store.copy_tables import OF_ONE_DATABASE, SELECT_MARK, copied_tables, ledger_copies, mark_of
from newsletter.store.migrate import newest_revision
from newsletter.store.search_index import fill_index
from newsletter.store.tables import deliveries, ledger, metadata

log = structlog.get_logger(__name__)

Progress = Callable[[int, int], object]  # takes how many rows were copied, and how many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeCopy:
    """What a copying came to.

    Attributes:
        source: the name of the former ledger.
        target: the name of the ledger from now on.
        tables: how many hold rows.
        rows: how many there are in all of them.
        went_on: whether an earlier attempt had begun.
    """

    source: str
    target: str
    tables: int
    rows: int
    went_on: bool


def copied() -> list[sa.Table]:
    """Return the tables that are copied, such that each comes after those that it refers to."""
    return [table for table in metadata.sorted_tables if not table.info.get(OF_ONE_DATABASE)]


def require_newest(side: CopySide) -> None:
    """Find out whether a database has this version's tables.

    Raises:
        ConfigurationError: it has others, or none; says what to do.
    """
    revision = side.revision()
    if revision is None:
        raise ConfigurationError(f"{side.name}: holds no ledger of this program")
    if revision != newest_revision():
        raise ConfigurationError(
            f"{side.name}: its tables are of revision {revision}, those of this version of {newest_revision()}: "
            "set NEWSLETTER_DATABASE__URL to it and run `newsletter db upgrade` first"
        )


def holders(side: CopySide) -> list[str]:
    """Return the workers that hold deliveries."""
    with side.connection.begin():
        held = sa.select(deliveries.c.claimed_by).where(deliveries.c.claimed_by.is_not(None))
        return list(side.connection.scalars(held.distinct()))


def copy_whole(
    source: CopySide, target: CopySide, *, key_id: str | None, now: datetime, progress: Progress
) -> WholeCopy:
    """Copy a ledger into another database, or go on with it; then the other one is the ledger.

    Args:
        source: the ledger; it has this version's tables.
        target: the other database; it has them, too.
        key_id: which secret signs the links, where the ledger itself doesn't know; None: nobody knows.
        now: the present moment, aware.
        progress: is told of each page.

    Raises:
        UsageError: the target holds another ledger, or the source was copied elsewhere.
        StoreError: one of them cannot be read or written, somebody uses the source, or the copy is not the same.
    """
    step = next_step(
        _mark(source),
        _mark(target),
        source_name=source.name,
        target_name=target.name,
        revision=newest_revision(),
        is_empty=_is_empty(target),
    )
    if step is Step.BEGIN:
        _begin(source, target, now)
    if step is not Step.END:
        _copy(source, target, progress)
        _make_usable(source, target, key_id, now)
    with source.connection.begin():
        source.connection.execute(sa.update(ledger_copies).values(is_done=True, done_at=now))
    counts = [count for table in copied() if (count := source.count(table))]
    return WholeCopy(
        source=source.name,
        target=target.name,
        tables=len(counts),
        rows=sum(counts),
        went_on=step is not Step.BEGIN,
    )


def reopen(source: CopySide) -> bool:
    """Let a ledger be used again that was copied elsewhere, or is half copied.

    Returns:
        Whether the copy was whole, so that it may be in use.

    Raises:
        UsageError: it was not copied, or is a copy itself.
    """
    mark = _mark(source)
    if mark is None or mark.side is not Side.SOURCE:
        raise UsageError(f"{source.name}: was not copied anywhere; there is nothing to reopen")
    with source.connection.begin():
        source.connection.execute(sa.delete(ledger_copies))
    return mark.is_done


def _mark(side: CopySide) -> CopyMark | None:
    with side.connection.begin():
        return mark_of(side.connection.execute(SELECT_MARK).first())


def _is_empty(target: CopySide) -> bool:
    """Return whether a database holds nothing but the identity that each new one gets, and was never used."""
    if any(target.count(table) for table in copied() if table is not ledger):
        return False
    with target.connection.begin():
        return not target.connection.scalar(sa.select(sa.func.max(ledger.c.mark)))


def _begin(source: CopySide, target: CopySide, now: datetime) -> None:
    """Empty the target, and put both out of use: the target first, so a source that is out of use names one."""
    mark: dict[str, Any] = {
        "token": secrets.token_hex(16),
        "revision": newest_revision(),
        "is_done": False,
        "begun_at": now,
    }
    with target.connection.begin():
        _empty(target.connection)
        target.connection.execute(sa.insert(ledger_copies).values(**mark, side=Side.TARGET, other=source.name))
    with source.connection.begin():
        source.connection.execute(sa.delete(ledger_copies))
        source.connection.execute(sa.insert(ledger_copies).values(**mark, side=Side.SOURCE, other=target.name))
    try:
        source.require_alone()
    except StoreError:
        with source.connection.begin():
            source.connection.execute(sa.delete(ledger_copies))
        raise


def _empty(connection: Connection) -> None:
    for table in [copied_tables, ledger_copies, *reversed(copied())]:
        connection.execute(sa.delete(table))


def _copy(source: CopySide, target: CopySide, progress: Progress) -> None:
    """Copy all tables, and read each back.

    Raises:
        StoreError: a table is not the same; the next attempt begins anew.
    """
    counts = {table.name: source.count(table) for table in copied()}
    total, before = sum(counts.values()), 0
    for table in copied():
        digest = _copy_table(source, target, table, partial(_tell, progress, before, total))
        if not _is_same(source, target, table, digest):
            with target.connection.begin():
                target.connection.execute(sa.update(ledger_copies).values(revision=""))
            raise StoreError(
                f"{target.name}: the copy of {table.name} is not what {source.name} holds; it is used by nobody. "
                "Run this again: it begins anew"
            )
        before += counts[table.name]
        if digest.count:
            log.info("table_copied", table=table.name, rows=digest.count)


def _tell(progress: Progress, before: int, total: int, done: int) -> None:
    """Tell how many rows were copied, of the tables before and of the present one."""
    progress(before + done, total)


def _copy_table(source: CopySide, target: CopySide, table: sa.Table, progress: Callable[[int], object]) -> Digest:
    """Copy what a target lacks of a table; return the digest of all that was read."""
    with target.connection.begin():
        known = target.connection.execute(
            sa.select(copied_tables).where(copied_tables.c.name == table.name)
        ).first()
    digest = Digest(known.digest, known.row_count) if known else Digest()
    for rows, last in source.pages(table, known.last_key if known else ""):
        digest.add(rows)
        with target.connection.begin():
            target.write(table, rows)
            _note(target.connection, table, last_key=last, row_count=digest.count, digest=digest.text)
        progress(digest.count)
    return digest


def _note(connection: Connection, table: sa.Table, **values: Any) -> None:
    known = sa.update(copied_tables).where(copied_tables.c.name == table.name).values(values)
    if not connection.execute(known).rowcount:
        connection.execute(sa.insert(copied_tables).values(name=table.name, is_checked=False, **values))


def _is_same(source: CopySide, target: CopySide, table: sa.Table, digest: Digest) -> bool:
    """Return whether a table of the target is as it was read, and the source has as many rows as were read."""
    with target.connection.begin():
        which = copied_tables.c.name == table.name
        if target.connection.scalar(sa.select(copied_tables.c.is_checked).where(which)):
            return True
    found = Digest()
    for rows, _ in target.pages(table):
        found.add(rows)
    if (found.text, found.count) != (digest.text, digest.count) or source.count(table) != digest.count:
        return False
    with target.connection.begin():
        target.connection.execute(sa.update(copied_tables).where(which).values(is_checked=True))
    return True


def _make_usable(source: CopySide, target: CopySide, key_id: str | None, now: datetime) -> None:
    """Do what is left for a target to be a ledger, in one transaction."""
    given = given_numbers(source, copied())
    connection = target.connection
    with connection.begin():
        go_on_from(connection, copied(), given)
        if target.is_postgresql or sa.inspect(connection).has_table("listing_search"):
            fill_index(connection)
        if not target.is_postgresql and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise StoreError(f"{source.name}: holds rows that refer to rows that are not there; it is damaged")
        connection.execute(sa.update(ledger).where(ledger.c.key_id.is_(None)).values(key_id=key_id))
        connection.execute(sa.delete(copied_tables))
        connection.execute(sa.update(ledger_copies).values(is_done=True, done_at=now))
    if target.is_postgresql:
        with connection.begin():
            connection.execute(sa.text("ANALYZE"))  # its planner would take the tables for empty, for a while
