"""How far the rates of relays and domains are given away, in SQL."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from math import inf
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.ports.rate_leases import AskedPlaces, RateLeases
from newsletter.store.bulk import is_sqlite
from newsletter.store.column_types import Exact
from newsletter.store.copy_tables import OF_ONE_DATABASE
from newsletter.store.engine import Database
from newsletter.store.tables import metadata

# A row for each rate that was used lately. `free_at` is when it will be as if no message had gone before (GCRA's
# theoretical arrival time), in microseconds since 1970 by the database's clock: those of machines may differ.
rates = sa.Table(
    "rates",
    metadata,
    sa.Column("scope", Exact, primary_key=True),
    sa.Column("free_at", sa.BigInteger, nullable=False),
    info={OF_ONE_DATABASE: True},
)

_SECOND = 1_000_000
_FORGET_EVERY = 60.0  # seconds
# No row is believed that says more: the clock was set back. So many blocks have all processes together at most.
_MOST_AHEAD, _MOST_BLOCKS = 60 * _SECOND, 256

# SQLite's clock stands still for the length of a statement, and has milliseconds.
_SQLITE_NOW = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
_SQLITE_LASTS = f"(excluded.free_at - {_SQLITE_NOW})"
_LEASE_SQLITE = f"""
    INSERT INTO rates (scope, free_at)
    SELECT json_extract(value, '$[0]'), {_SQLITE_NOW} + json_extract(value, '$[1]')
    FROM json_each(:asked) WHERE true
    ON CONFLICT (scope) DO UPDATE SET free_at = {_SQLITE_LASTS} + max(
        {_SQLITE_NOW}, min(rates.free_at, {_SQLITE_NOW} + max({_MOST_AHEAD}, {_MOST_BLOCKS} * {_SQLITE_LASTS}))
    )
    RETURNING scope, free_at - {_SQLITE_NOW}
"""

# PostgreSQL's now() stands still for the length of a transaction, so it tells how long the places last. When the
# row is free, after those who came before, clock_timestamp() tells what is given.
_POSTGRESQL_BEGAN = f"CAST(extract(epoch FROM now()) * {_SECOND} AS bigint)"
_POSTGRESQL_NOW = f"CAST(extract(epoch FROM clock_timestamp()) * {_SECOND} AS bigint)"
_POSTGRESQL_LASTS = f"(excluded.free_at - {_POSTGRESQL_BEGAN})"
# All lock rows in one order, so that no two wait for each other.
_LEASE_POSTGRESQL = f"""
    INSERT INTO rates (scope, free_at)
    SELECT value ->> 0, {_POSTGRESQL_BEGAN} + CAST(value ->> 1 AS bigint)
    FROM json_array_elements(CAST(:asked AS json)) ORDER BY 1
    ON CONFLICT (scope) DO UPDATE SET free_at = {_POSTGRESQL_LASTS} + greatest(
        {_POSTGRESQL_NOW},
        least(rates.free_at, {_POSTGRESQL_NOW} + greatest({_MOST_AHEAD}, {_MOST_BLOCKS} * {_POSTGRESQL_LASTS}))
    )
    RETURNING scope, free_at - {_POSTGRESQL_NOW}
"""

_FORGET_SQLITE = f"DELETE FROM rates WHERE free_at < {_SQLITE_NOW} - :kept"
# Rows that somebody is using are left alone, and not waited for.
_FORGET_POSTGRESQL = f"""
    DELETE FROM rates WHERE scope IN (
        SELECT scope FROM rates WHERE free_at < {_POSTGRESQL_BEGAN} - :kept FOR UPDATE SKIP LOCKED
    )
"""


class SqlRateLeases(RateLeases):
    """One statement for all that is asked for at once. The disk is not waited for: nothing here lasts long."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forgot_at = -inf

    @override
    async def lease(self, asked: Collection[AskedPlaces]) -> Mapping[str, float]:
        lasts = {one.scope: round(one.spacing * one.places * _SECOND) for one in asked}

        async def whole(connection: AsyncConnection) -> dict[str, float]:
            lease = _LEASE_SQLITE if is_sqlite(connection) else _LEASE_POSTGRESQL
            rows = await connection.execute(sa.text(lease), {"asked": json.dumps(list(lasts.items()))})
            return {scope: max(0, ends_in - lasts[scope]) / _SECOND for scope, ends_in in rows}

        given = await self._database.write_at_once(whole, durable=False)
        if self._forgot_at + _FORGET_EVERY <= monotonic():
            self._forgot_at = monotonic()
            await self._forget()
        return given

    async def _forget(self) -> None:
        """Remove the rows that say nothing any more."""

        async def whole(connection: AsyncConnection) -> None:
            forget = _FORGET_SQLITE if is_sqlite(connection) else _FORGET_POSTGRESQL
            await connection.execute(sa.text(forget), {"kept": int(_FORGET_EVERY * _SECOND)})

        await self._database.write_at_once(whole, durable=False)
