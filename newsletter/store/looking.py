"""How a database stands: found out without a change to it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.ports.ledger_state import LedgerState
from newsletter.store.engine import Database, connect
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
            return _state(database, "", None, ())
        async with database.read() as connection:
            revision = await connection.run_sync(revision_of) or ""
            now = await _now(connection) if database.is_postgresql else None
            zones = await _timezones(connection) if revision == newest_revision() else ()
        return _state(database, revision, now, zones)
    finally:
        await database.close()


def _state(database: Database, revision: str, now: datetime | None, timezones: tuple[str, ...]) -> LedgerState:
    return LedgerState(
        where=database.where,
        file=database.path and Path(database.path),
        is_there=bool(revision),
        revision=revision,
        newest=newest_revision(),
        now=now,
        timezones=timezones,
    )


async def _now(connection: AsyncConnection) -> datetime:
    now: datetime = (await connection.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
    return now


async def _timezones(connection: AsyncConnection) -> tuple[str, ...]:
    """Return the timezones of readers' own."""
    named = sa.select(subscribers.c.timezone).where(subscribers.c.timezone.is_not(None)).distinct()
    return tuple(sorted((await connection.execute(named.limit(_MOST_TIMEZONES))).scalars()))
