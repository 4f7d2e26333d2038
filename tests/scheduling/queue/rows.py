"""What stands in Procrastinate's tables, read and changed by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg


@dataclass(frozen=True, slots=True)
class Rows:
    """A connection of a test's own."""

    connection: psycopg.AsyncConnection

    async def all(self, query: LiteralString, *values: Any) -> list[Any]:
        """Return the rows of a query; of a single column, its values."""
        found = await (await self.connection.execute(query, values)).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    async def times(self) -> list[datetime | None]:
        """Return from when on the jobs of issues may be taken."""
        return await self.all(
            "SELECT scheduled_at FROM procrastinate_jobs WHERE queue_name = 'issues' ORDER BY scheduled_at, id"
        )

    async def states(self) -> list[str]:
        """Return the states of all jobs."""
        return await self.all("SELECT status::text FROM procrastinate_jobs ORDER BY id")

    async def silent_worker(self) -> int:
        """Register a worker that has given no sign of life for a minute; return its number."""
        (number,) = await self.all(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute') RETURNING id"
        )
        return int(number)

    async def take(self, worker: int) -> int:
        """Let a worker take the next job; return the job's number."""
        (number,) = await self.all(
            "SELECT id FROM procrastinate_fetch_job_v2(ARRAY['issues', 'mails'], %s)", worker
        )
        return int(number)


async def until(happened: Callable[[], Awaitable[object]]) -> None:
    """Wait until something has happened in the database."""
    if not await happened():
        await asyncio.sleep(0.01)
        await until(happened)
