"""Which processes deliver, as operators see it: a row for each, which it keeps fresh. In SQL.

Nothing is decided by it: whether a worker may keep what it holds, `newsletter.store.workers` says.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter import __version__
from newsletter.core.errors import StoreError
from newsletter.ports.cluster import LiveWorker, WorkerRegister
from newsletter.store.bulk import insert, is_sqlite
from newsletter.store.column_types import Moment
from newsletter.store.engine import Database
from newsletter.store.worker_tables import workers
from newsletter.store.workers import new_name

log = structlog.get_logger(__name__)

_EVERY = 5.0  # seconds from one sign of life to the next
_FRESH = timedelta(seconds=25)  # who gave none for longer is not shown
_KEPT = timedelta(hours=1)


class SqlLiveWorkers(WorkerRegister):
    """Rows of processes; the moments in them are the database's, so clocks of machines need not agree."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    @asynccontextmanager
    async def register(
        self, kind: str, *, concurrency: int, queues: Collection[str] = (), busy: Callable[[], int] = int
    ) -> AsyncIterator[None]:
        row = {
            "name": new_name(),
            "kind": kind,
            "host": socket.gethostname(),
            "version": __version__,
            "concurrency": concurrency,
            "queues": ",".join(queues),
        }
        beating = asyncio.create_task(self._keep_fresh(row, busy))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait([beating])
            with suppress(StoreError):  # then it is forgotten after a while
                async with self._database.write(durable=False) as connection:
                    await connection.execute(sa.delete(workers).where(workers.c.name == row["name"]))

    async def _keep_fresh(self, row: dict[str, Any], busy: Callable[[], int]) -> None:
        is_known = True
        while True:
            try:
                await self._database.write_at_once(lambda one: _beat(one, row, busy()), durable=False)
                is_known = True
            except StoreError as error:
                if is_known:
                    log.warning("sign_of_life_not_written", reason=str(error))
                is_known = False
            await asyncio.sleep(_EVERY)

    @override
    async def alive(self) -> list[LiveWorker]:
        async def read(connection: AsyncConnection) -> list[LiveWorker]:
            fresh = workers.c.seen_at > _now(connection, _FRESH)
            query = sa.select(*_SEEN).where(workers.c.concurrency > 0, fresh)
            rows = await connection.execute(query.order_by(workers.c.started_at, workers.c.name))
            return [
                LiveWorker(**{**row, "queues": tuple(filter(None, row["queues"].split(",")))})
                for row in rows.mappings()
            ]

        return await self._database.read_at_once(read)


async def has_worker(connection: AsyncConnection, queue: str) -> bool:
    """Return whether a worker lives that takes the jobs of a queue."""
    fresh = workers.c.seen_at > _now(connection, _FRESH)
    queues = await connection.scalars(sa.select(workers.c.queues).where(workers.c.concurrency > 0, fresh))
    return any(queue in names.split(",") for names in queues)


_SEEN = tuple(
    workers.c[name]
    for name in ("name", "kind", "host", "version", "started_at", "seen_at", "concurrency", "queues", "busy")
)


async def _beat(connection: AsyncConnection, row: dict[str, Any], busy: int) -> None:
    now = _now(connection)
    fresh = {**row, "busy": busy, "started_at": now, "seen_at": now}
    put = insert(connection, workers).values(fresh)
    learnt = {"busy": put.excluded.busy, "seen_at": put.excluded.seen_at}
    await connection.execute(put.on_conflict_do_update(index_elements=["name"], set_=learnt))
    await connection.execute(sa.delete(workers).where(workers.c.seen_at < _now(connection, _KEPT)))


def _now(connection: AsyncConnection, ago: timedelta = timedelta()) -> sa.ColumnElement[Any]:
    """Return the present moment by the database's clock, or an earlier one."""
    if not is_sqlite(connection):
        return sa.func.clock_timestamp() - ago
    # As `Moment` keeps it. %f are seconds with milliseconds.
    written = sa.func.strftime("%Y-%m-%d %H:%M:%f000+00:00", "now", f"-{ago.total_seconds():.0f} seconds")
    return sa.type_coerce(written, Moment)
