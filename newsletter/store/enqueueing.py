"""The jobs of an issue, written in the transaction that closes it: workers begin when it is committed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.errors import StoreError
from newsletter.core.jobs import Queue, jobs_of_closed
from newsletter.ports import ClosingJobs
from newsletter.store.engine import store_errors
from newsletter.store.live_workers import has_worker

log = structlog.get_logger(__name__)


async def enqueue(connection: AsyncConnection, jobs: ClosingJobs | None, issue_key: int, *, now: datetime) -> None:
    """Write jobs for what an issue has to deliver, each for its time, if workers are to deliver.

    Jobs that cannot be written are no reason not to close an issue: whoever looks after the jobs adds them.

    Args:
        connection: in the transaction that closes the issue; of PostgreSQL, if there are jobs.
        jobs: writes them; None: this process and others like it deliver.
        issue_key: the issue's.
        now: aware, UTC.
    """
    if jobs is None:
        return
    try:
        with store_errors("the jobs"):
            async with connection.begin_nested():
                driver = (await connection.get_raw_connection()).driver_connection
                has_workers = await has_worker(connection, Queue.ISSUES)
                if await jobs.are_wanted(driver, has_workers=has_workers):
                    due = [(moment, count) for moment, count in await connection.execute(_DUE, {"key": issue_key})]
                    await jobs.write(driver, jobs_of_closed(issue_key, due, now=now))
    except StoreError as error:
        log.warning("jobs_not_written", issue=issue_key, reason=str(error))


# By the minute: readers have hours of their own, and one job does for all who share it.
_DUE = sa.text("""
    SELECT max(ready_at), count(*) FROM deliveries
    WHERE issue_key = :key AND ready_at IS NOT NULL GROUP BY date_trunc('minute', ready_at) ORDER BY 1
""")
