"""Procrastinate itself: its application, its errors, and how a worker ends a job that is no longer its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from typing_extensions import override

from newsletter.core.errors import StoreError
from newsletter.core.jobs import ChunkJob, Queue
from newsletter.scheduling.queue import statements

_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)  # seconds, while the database is away


class FencedJobs(JobManager):
    """Jobs that a worker ends only as long as they are its own.

    A worker that was silent for long loses its jobs to others. When it wakes up, Procrastinate would have it end
    the job that another is at.

    While the database is away, the end of a job waits for it: Procrastinate would forget the job, and it would be
    at work for ever, as its worker lives.
    """

    async def _write(self, query: str, **values: Any) -> None:
        for pause in (*_PAUSES, None):
            try:
                await self.connector.execute_query_async(query, **values)
            except ConnectorException:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return

    @override
    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """All jobs that have ended are deleted: what is left to do, the ledger knows."""
        await self._write(statements.FINISH, job=job.id, worker=job.worker_id)

    @override
    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back, to be taken at `retry_at` (aware) or at once; all else of it stays."""
        await self._write(statements.AGAIN, job=job.id, worker=job.worker_id, at=retry_at)


def made(conninfo: str, *, most: int, idle: float, patience: float) -> App:
    """Return Procrastinate's application for a database; nothing is connected yet.

    Args:
        conninfo: of the database, in libpq's words.
        most: how many connections it opens at most.
        idle: seconds after which a connection is closed that nobody uses.
        patience: seconds to wait for a connection.
    """
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what it has to say, we say ourselves
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    app = App(
        connector=PsycopgConnector(
            conninfo=conninfo,
            min_size=0,
            max_size=most,
            max_idle=idle,
            timeout=patience,
            reconnect_timeout=patience,
        )
    )
    app.job_manager = FencedJobs(app.connector)
    return app


@contextmanager
def errors_of(where: str) -> Iterator[None]:
    """Turn errors of Procrastinate and of its connections into a StoreError of one line.

    Raises:
        StoreError: in place of any of them; names the database.
    """
    try:
        yield
    except (ConnectorException, psycopg.Error, OSError) as error:
        raise StoreError(f"{where}: {in_a_line(error)}") from error


def in_a_line(error: BaseException) -> str:
    """Return an error's cause in one line."""
    cause = error.__cause__ or error
    return " ".join(str(cause).split("\n")[0].split()) or type(cause).__name__


def chunk(job: ChunkJob, *, at_once: bool = False) -> Job:
    """Return a job of an issue as Procrastinate has it; `at_once`: it leaves the issue's hours aside."""
    return Job(
        id=None,
        queue=Queue.ISSUES.value,
        lock=None,  # jobs of an issue are done side by side
        queueing_lock=None,  # it would keep a job that is brought back from being queued again
        task_name=statements.DELIVER,
        task_kwargs={"issue": job.issue_key, "at_once": at_once},
        priority=job.priority,
        scheduled_at=job.at,
    )
