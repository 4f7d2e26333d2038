"""Pooled connections to PostgreSQL: those that the server ended are replaced, and it is asked about no others."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from newsletter.store.engine import Database
from tests.store.samples import at

_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND datname = current_database() AND backend_type = 'client backend'
"""


async def backend(database: Database) -> int:
    """Return which session of the server answers."""
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.pg_backend_pid())) or 0)


async def test_a_connection_that_the_server_ended_is_replaced_before_anybody_gets_it(postgres_url: str) -> None:
    async with at(postgres_url) as database:
        first = await backend(database)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(_END_OTHERS)

        assert await backend(database) != first
        async with database.write() as connection:
            assert await connection.scalar(sa.select(1)) == 1


async def test_the_server_is_not_asked_whether_it_is_there_as_long_as_it_says_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at(postgres_url) as database:
        first, asked = await backend(database), list[str]()
        execute = psycopg.AsyncCursor.execute

        async def listening(cursor: Any, query: Any, *arguments: Any, **named: Any) -> Any:
            asked.append(str(query))
            return await execute(cursor, query, *arguments, **named)

        monkeypatch.setattr(psycopg.AsyncCursor, "execute", listening)
        found = await asyncio.gather(backend(database), backend(database))

    assert first in found
    assert len([one for one in asked if "pg_backend_pid" in one]) == 2
    assert ";" not in asked
