"""Which workers live, by PostgreSQL: each has a row with its last sign of life, and a lock that its session holds.

A worker is dead when any of these is so:

- Its row is gone: it ended, or somebody took it for dead before.
- It was silent for longer than `SILENT`, whatever it holds: it is stopped, or its machine is out of reach.
- Nobody holds its lock: its process ended. That is known at once, but says something only as long as the server
  runs that it was locked in.

A server that is started anew has forgotten all locks, and heard nobody meanwhile: living workers need a moment to
speak and to lock again. So who has just lost its own session, or has just begun, lets some seconds pass before it
believes that others are silent. All moments are the server's, so clocks of machines need not agree.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter import __version__
from newsletter.core.errors import LostWorkerError, OutdatedError, StoreError
from newsletter.store.bulk import raw_connection
from newsletter.store.engine import Database, store_errors
from newsletter.store.migrate import newest_revision
from newsletter.store.worker_tables import workers
from newsletter.store.workers import Workers, new_name

log = structlog.get_logger(__name__)

SILENT = 25.0  # seconds without a sign of life after which a worker is taken for dead
_EVERY = 5.0  # seconds from one sign of life to the next
_PAUSE = 0.5  # seconds before a session that broke is opened again
_SETTLED = 5.0  # seconds after which living workers have found a server again that was started anew
_LONG_RUNNING = timedelta(minutes=2)  # a server that has run for longer was not started just now
_KEPT = timedelta(hours=1)  # rows of workers that died while they held nothing


class SessionWorkers(Workers):
    """An advisory lock for each worker, held by a session of its own, and a row that the same session keeps fresh.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here: set[str] = set()  # workers of this process
        self._ended: set[str] = set()  # those that were, and could not take their rows away
        # In the loop's time: until when others may have lost their sessions as we have; since when we would know.
        self._unsure_until, self._would_know_from = -inf, inf

    @override
    @asynccontextmanager
    async def register(self, kind: str) -> AsyncIterator[str]:
        session = _Session(self._database, new_name())
        try:
            await session.begin(kind)
            self._would_know_from = min(self._would_know_from, asyncio.get_running_loop().time() + _SETTLED)
            self._here.add(session.name)
            beating = asyncio.create_task(self._keep_alive(session))
            try:
                yield session.name
            finally:
                self._here.discard(session.name)
                beating.cancel()
                await asyncio.wait([beating])
                if not beating.cancelled():
                    beating.result()  # it ended before: the worker was lost, or the program is wrong
        finally:
            if not await session.end():
                self._ended.add(session.name)

    @override
    async def confirm(self, connection: AsyncConnection, name: str) -> None:
        """Who takes it for dead waits for the transaction to end: by then all that it holds can be seen."""
        if name in self._here and not await connection.scalar(_CONFIRM, {"worker": name}):
            raise LostWorkerError(_lost(self._database, name))

    @override
    async def dead(self, names: Collection[str]) -> set[str]:
        if not names:
            return set()
        async with self._database.write() as connection:
            return await self._dead(connection, names)

    @override
    async def bury(self, connection: AsyncConnection, names: Collection[str]) -> set[str]:
        await connection.execute(_HOLD_ROWS, {"names": sorted(names)})
        dead = await self._dead(connection, names)  # one that was only silent may have spoken again
        await connection.execute(_BURY, {"names": sorted(dead)})
        return dead

    async def _dead(self, connection: AsyncConnection, names: Collection[str]) -> set[str]:
        now = asyncio.get_running_loop().time()
        asked = {
            "names": sorted(names),
            "silent": timedelta(seconds=SILENT),
            "long_running": _LONG_RUNNING,
            "locks_say": now >= self._unsure_until,
            "silence_says": now >= max(self._unsure_until, self._would_know_from),
        }
        return {*await connection.scalars(_DEAD, asked), *self._ended.intersection(names)}

    async def _keep_alive(self, session: _Session) -> None:
        """Give signs of life until the worker is taken for dead; go on when the session breaks."""
        is_broken = False
        while True:
            try:
                await session.wait(_EVERY)
                if not await session.beat():
                    log.warning("worker_lost", worker=session.name, reason=_lost(self._database, session.name))
                    return
                is_broken = False
            except StoreError as error:
                if not is_broken:  # it is tried again all the time
                    log.warning("worker_session_broke", worker=session.name, reason=str(error))
                is_broken = True
                self._unsure_until = asyncio.get_running_loop().time() + _SETTLED
                await session.drop()
                await asyncio.sleep(_PAUSE)


def _lost(database: Database, name: str) -> str:
    return f"{database.where}: worker {name} gave no sign of life for {SILENT:.0f} s, and was taken for dead"


@dataclass(slots=True)
class _Session:
    """The session of one worker; it is opened when it is needed. Everything raises StoreError if that fails."""

    database: Database
    name: str
    connection: AsyncConnection | None = None
    is_locked: bool = field(default=False, init=False)  # by this session; one that broke may hold it for a while
    backend: int = field(default=0, init=False)

    async def begin(self, kind: str) -> None:
        """Lock, then write the row: nobody sees it unlocked."""
        with store_errors(self.database.where):
            connection = await self._opened()
            await self._require_own_tables(connection)
            row = {"name": self.name, "kind": kind, "host": socket.gethostname(), "version": __version__}
            await connection.execute(_FORGET, {"kept": _KEPT})
            await connection.execute(_BEGIN, row)

    async def _require_own_tables(self, connection: AsyncConnection) -> None:
        """Raise OutdatedError if the ledger was brought to another version's tables since this process began."""
        revision, own = await connection.scalar(_REVISION), newest_revision()
        if revision != own:
            raise OutdatedError(
                f"{self.database.where}: its tables are of revision {revision}, and this process is of {own}; "
                "restart it with the version of the program that upgraded them"
            )

    async def wait(self, seconds: float) -> None:
        """Wait, or raise StoreError as soon as the session breaks."""
        if self.connection is None:
            return
        with store_errors(self.database.where):
            driver = await raw_connection(self.connection)
            async for _ in driver.notifies(timeout=seconds):
                pass

    async def beat(self) -> bool:
        """Give a sign of life; return whether the worker still counts as alive."""
        with store_errors(self.database.where):
            async with asyncio.timeout(2 * _EVERY):
                connection = await self._opened()
                await self._lock(connection)
                values = {"worker": self.name, "is_locked": self.is_locked}
                backend = await connection.scalar(_BEAT, values)
        if backend not in {None, self.backend}:
            raise self._pooled()
        return backend is not None

    async def drop(self) -> None:
        """Let go of a session that broke."""
        connection, self.connection, self.is_locked = self.connection, None, False
        if connection is not None:
            with suppress(StoreError), store_errors(self.database.where):
                await connection.invalidate()
                await connection.close()

    async def end(self) -> bool:
        """End the session and the lock with it; return whether the row was taken away, too."""
        is_away = False
        if self.connection is not None:
            with suppress(StoreError), store_errors(self.database.where):
                async with asyncio.timeout(_EVERY):
                    await self.connection.execute(_BURY, {"names": [self.name]})
                    is_away = True
        await self.drop()
        return is_away

    async def _opened(self) -> AsyncConnection:
        if self.connection is None:
            self.connection = connection = await self.database.apart.connect()
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            self.backend = (await connection.execute(_OPEN)).scalar_one()
            if self.backend != (await raw_connection(connection)).info.backend_pid:
                await self._require_sessions()
            await self._lock(connection)
        return self.connection

    async def _require_sessions(self) -> None:
        """Raise StoreError if the pooler to which this leads has just given the session to another client."""
        async with self.database.apart.connect() as another:
            if (await another.execute(_OPEN)).scalar_one() == self.backend:
                raise self._pooled()

    def _pooled(self) -> StoreError:
        return StoreError(
            f"{self.database.where}: a pooler gives one client's statements to several sessions, which hold no "
            "locks then; let NEWSLETTER_DATABASE__URL lead straight to PostgreSQL, or have the pooler keep "
            "sessions (PgBouncer: pool_mode = session)"
        )

    async def _lock(self, connection: AsyncConnection) -> None:
        if not self.is_locked:
            self.is_locked = bool(await connection.scalar(_LOCK, {"worker": self.name}))


_NAME, _NAMES = sa.bindparam("worker", type_=sa.Text), sa.bindparam("names", type_=sa.ARRAY(sa.Text))
_NOW, _SERVER_BEGAN = sa.func.clock_timestamp(), sa.func.pg_postmaster_start_time()


def _lock(name: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    """Return the number of a worker's lock."""
    return sa.func.hashtextextended(sa.literal("worker ", literal_execute=True) + name, 0)


# The server gives up the session of a machine that is gone after about a minute, not after two hours. No sign of
# life is worth a wait for the disk.
_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "synchronous_commit": "off",
}
_OPEN = sa.select(sa.func.pg_backend_pid(), *(sa.func.set_config(*one, False) for one in _SETTINGS.items()))
_REVISION = sa.text("SELECT version_num FROM alembic_version")
_LOCK = sa.select(sa.func.pg_try_advisory_lock(_lock(_NAME)))

_SELF, _THESE = workers.c.name == _NAME, workers.c.name == sa.any_(_NAMES)
_BEGIN = sa.insert(workers).values(
    started_at=_NOW, seen_at=_NOW, server_started_at=_SERVER_BEGAN, concurrency=0, queues="", busy=0
)
_BEAT = (
    sa.update(workers)
    .where(_SELF)
    .values(seen_at=_NOW, server_started_at=sa.case((sa.bindparam("is_locked", type_=sa.Boolean), _SERVER_BEGAN)))
    .returning(sa.func.pg_backend_pid())
)
_CONFIRM = sa.select(workers.c.name).where(_SELF).with_for_update(read=True, key_share=True)
_FORGET = sa.delete(workers).where(workers.c.seen_at < _NOW - sa.bindparam("kept", type_=sa.Interval))
_HOLD_ROWS = sa.select(workers.c.name).where(_THESE).order_by(workers.c.name).with_for_update()
_BURY = sa.delete(workers).where(_THESE)

_ASKED = sa.func.unnest(_NAMES).table_valued("name", name="asked")
_SILENCE, _SERVER_RUNS_FOR = _NOW - workers.c.seen_at, _NOW - _SERVER_BEGAN
_DEAD = (
    sa.select(_ASKED.c.name)
    .select_from(_ASKED.outerjoin(workers, workers.c.name == _ASKED.c.name))
    .where(
        sa.or_(
            workers.c.name.is_(None),
            sa.and_(
                sa.bindparam("silent", type_=sa.Interval) < _SILENCE,
                sa.or_(
                    sa.bindparam("silence_says", type_=sa.Boolean),
                    sa.bindparam("long_running", type_=sa.Interval) < _SERVER_RUNS_FOR,
                ),
            ),
            sa.and_(
                sa.bindparam("locks_say", type_=sa.Boolean),
                workers.c.server_started_at == _SERVER_BEGAN,
                # Those who ask share the lock that they try, so that they do not mislead each other.
                sa.func.pg_try_advisory_xact_lock_shared(_lock(_ASKED.c.name)),
            ),
        )
    )
)
