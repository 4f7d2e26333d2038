"""The jobs in PostgreSQL, as Procrastinate keeps them.

Procrastinate's own functions add, take and end jobs. What it has no function for, such as to hasten the jobs of an
issue, is done here to its table `procrastinate_jobs`.

The library is loaded when it is first needed: most commands ask for no job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, LiteralString

from typing_extensions import override

from newsletter.core.errors import StoreError
from newsletter.core.jobs import MAILS_PRIORITY, ChunkJob, Queue
from newsletter.ports import ClosingJobs, IssueJobs, JobQueue, QueueCount
from newsletter.scheduling.queue import statements

if TYPE_CHECKING:
    from procrastinate import App

SILENT = 20.0  # seconds without a sign of life, after which a worker's jobs are given to others
_ADDED_AT_ONCE = 1000
_MOST_CONNECTIONS = 4  # of a process, for its jobs; each is opened when it is needed, and closed when it is idle
_SECONDS_IDLE = 60.0
_PATIENCE = 10.0  # seconds to wait for a connection


class ProcrastinateJobs(JobQueue, ClosingJobs):
    """The jobs of one database. Nothing is connected before it is needed."""

    def __init__(self, conninfo: str, where: str, *, waits_for_workers: bool) -> None:
        """Prepare.

        Args:
            conninfo: of the database, in libpq's words.
            where: what the database is called in messages.
            waits_for_workers: whether jobs are written although nobody is there to take them.
        """
        self._conninfo = conninfo
        self._where = where
        self._waits_for_workers = waits_for_workers
        self._opened: App | None = None
        self._opening = asyncio.Lock()

    async def app(self) -> App:
        """Return Procrastinate's application, connected.

        Raises:
            StoreError: the database cannot be reached, or lacks the tables of this version.
        """
        async with self._opening:
            if self._opened is None:
                self._opened = await self._open()
            return self._opened

    async def _open(self) -> App:
        from newsletter.scheduling.queue import engine, tables

        app = engine.made(self._conninfo, most=_MOST_CONNECTIONS, idle=_SECONDS_IDLE, patience=_PATIENCE)
        with self._errors():
            await app.open_async()
            try:
                (row,) = await app.connector.execute_query_all_async(tables.REVISION)
            except BaseException:
                await app.close_async()
                raise
        if (row["revision"] or "") < tables.newest_revision():
            await app.close_async()
            raise StoreError(
                f"{self._where}: the tables of the jobs are not up to date; run `newsletter db upgrade`"
            )
        return app

    async def close(self) -> None:
        """Close what was opened."""
        app, self._opened = self._opened, None
        if app is not None:
            await app.close_async()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from newsletter.scheduling.queue import engine

        with engine.errors_of(self._where):
            yield

    async def _ask(self, query: LiteralString, **values: Any) -> list[dict[str, Any]]:
        app = await self.app()
        with self._errors():
            return await app.connector.execute_query_all_async(query, **values)

    @override
    async def are_wanted(self, connection: Any, *, has_workers: bool) -> bool:
        """Where the tables of the jobs lack, nobody can take one."""
        if not (has_workers or self._waits_for_workers):
            return False
        async with connection.cursor() as cursor:
            await cursor.execute(statements.HAS_TABLES)
            (there_are,) = await cursor.fetchone()
        return bool(there_are)

    @override
    async def write(self, connection: Any, jobs: Sequence[ChunkJob]) -> None:
        from newsletter.scheduling.queue import engine

        app = self._opened or engine.made(self._conninfo, most=1, idle=_SECONDS_IDLE, patience=_PATIENCE)
        with self._errors():
            for begin in range(0, len(jobs), _ADDED_AT_ONCE):
                some = [engine.chunk(job) for job in jobs[begin : begin + _ADDED_AT_ONCE]]
                await app.job_manager.batch_defer_jobs_async(some, connection=connection)

    @override
    async def counts(self) -> list[QueueCount]:
        return [QueueCount(**row) for row in await self._ask(statements.COUNTS)]

    @override
    async def of_issue(self, issue_key: int) -> IssueJobs:
        (row,) = await self._ask(statements.OF_ISSUE, issue=issue_key)
        return IssueJobs(
            todo=row["todo"], doing=row["doing"], trouble=row["trouble"] or "", waiting=row["waiting"] or ""
        )

    @override
    async def hasten(self, issue_key: int, *, now: datetime, again: bool = False, at_once: bool = False) -> None:
        await self._ask(statements.HASTEN, issue=issue_key, now=now, again=again, at_once=at_once)

    @override
    async def leave_hours_aside(self, issue_key: int) -> bool:
        return bool(await self._ask(statements.LEAVE_HOURS_ASIDE, issue=issue_key))

    @override
    async def add(self, jobs: Sequence[ChunkJob], *, at_once: bool = False) -> None:
        from newsletter.scheduling.queue import engine

        app = await self.app()
        with self._errors():
            for begin in range(0, len(jobs), _ADDED_AT_ONCE):
                some = [engine.chunk(job, at_once=at_once) for job in jobs[begin : begin + _ADDED_AT_ONCE]]
                await app.job_manager.batch_defer_jobs_async(some)

    @override
    async def ask_for_mails(self) -> None:
        await self._ask(
            statements.ASK_FOR_MAILS, queue=Queue.MAILS.value, task=statements.SEND, priority=MAILS_PRIORITY
        )

    @override
    async def drop(self, issue_key: int) -> None:
        await self._ask(statements.DROP, issue=issue_key)

    @override
    async def issues(self) -> Collection[int]:
        return [row["issue"] for row in await self._ask(statements.ISSUES)]

    @override
    async def bring_back(self) -> int:
        app = await self.app()
        manager = app.job_manager
        with self._errors():
            stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT))
            for job in stalled:
                await self._ask(statements.BRING_BACK, job=job.id, worker=job.worker_id)
            await manager.prune_stalled_workers(3 * SILENT)
        return len(stalled)

    @override
    async def takes_turn(self, every: float) -> bool:
        (row,) = await self._ask(statements.TAKE_TURN, every=every)
        return bool(row["is_ours"])

    async def put_off(self, job: int, issue_key: int, *, until: datetime, trouble: str, waiting: str) -> None:
        """Note on a job why it is put off, and put off with it the other jobs of its issue.

        Args:
            job: its number; a worker is at it, who puts it back.
            issue_key: of its issue.
            until: when it is to be tried again (aware).
            trouble: what kept it from being done, or nothing.
            waiting: why it waits although nothing is wrong, or nothing.
        """
        await self._ask(
            statements.PUT_OFF, job=job, issue=issue_key, until=until, trouble=trouble, waiting=waiting
        )
