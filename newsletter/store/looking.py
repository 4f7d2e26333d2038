"""How a database stands: found out without a change to it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.ledger_copies import OutOfUse
from newsletter.ports.ledger_state import LedgerState
from newsletter.store.engine import Database, connect
from newsletter.store.in_place import reason_out_of_use
from newsletter.store.migrate import newest_revision, revision_of
from newsletter.store.tables import subscribers

_PATIENCE = 5.0  # seconds
_MOST_TIMEZONES = 1000


async def look_at(url: str) -> LedgerState:
    """Return how the database at an address stands; one that is not there is not made.

    Raises:
        ConfigurationError: the address names no known kind of database.
        StoreError: it cannot be reached or read; says which and why.
    """
    database = connect(url, patience=_PATIENCE)
    try:
        if database.path is not None and not database.path.exists():
            return _state(database, "", None, (), None)
        async with database.read() as connection:
            revision = await connection.run_sync(revision_of) or ""
            now = await _now(connection) if database.is_postgresql else None
            is_newest = revision == newest_revision()
            zones = await _timezones(connection) if is_newest else ()
            out_of_use = await reason_out_of_use(connection) if is_newest else None
        return _state(database, revision, now, zones, out_of_use)
    finally:
        await database.close()


def _state(
    database: Database,
    revision: str,
    now: datetime | None,
    timezones: tuple[str, ...],
    out_of_use: OutOfUse | None,
) -> LedgerState:
    return LedgerState(
        where=database.where,
        file=database.path and Path(database.path),
        is_there=bool(revision),
        revision=revision,
        newest=newest_revision(),
        now=now,
        timezones=timezones,
        out_of_use=out_of_use,
    )


async def _now(connection: AsyncConnection) -> datetime:
    now: datetime = (await connection.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def _timezones(connection: AsyncConnection) -> tuple[str, ...]:
    """Return the timezones of readers' own."""
    named = sa.select(subscribers.c.timezone).where(subscribers.c.timezone.is_not(None)).distinct()
    return tuple(sorted((await connection.execute(named.limit(_MOST_TIMEZONES))).scalars()))
