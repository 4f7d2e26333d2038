"""What workers note in the ledger before they do it and after: one short row for many messages.

The intent of each message has to be durable before it is sent. To write it to the delivery's own row, and the
outcome too, changes four indexes twice for each message, in transactions of a few messages. So a worker writes its
notes of one moment as one row here, in one statement, and brings them to the rows of the deliveries in batches:
in the transaction that does, the notes are deleted. What a dead worker noted is brought there when it is buried.

A note counts only while its worker counts as alive: the statement holds the worker's row, and who buries a worker
waits for that. After that the worker can note nothing, and so send nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from pydantic_core import from_json, to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import WAITING, Change, DeliveryState
from newsletter.core.errors import LostWorkerError, StoreError
from newsletter.core.steps import kept
from newsletter.store.bulk import among, insert, raw_connection
from newsletter.store.column_types import read_moment
from newsletter.store.engine import Database, store_errors
from newsletter.store.tables import deliveries
from newsletter.store.worker_tables import worker_notes
from newsletter.store.workers import Workers

if TYPE_CHECKING:
    from newsletter.store.prepared import Prepared


class WorkerNotes:
    """The notes of workers. On PostgreSQL they are written by a connection that does nothing else."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers
        self._connection: AsyncConnection | None = None
        self._statement: Prepared | None = None
        self._opening = asyncio.Lock()

    async def write(self, worker: str, number: int, changes: Sequence[Change]) -> frozenset[int]:
        """Write a note; durable when this returns. The same number again changes nothing.

        Returns:
            The keys of deliveries among the intents that the worker may not begin: they wait no more, or are not
            in its hands.

        Raises:
            LostWorkerError: the worker was taken for dead.
            StoreError: the ledger can't be written.
        """
        left_out = frozenset[int]()
        while some := await self._not_theirs(worker, number, changes):
            left_out |= some
            changes = [one for one in changes if one.state is not DeliveryState.SENDING or one.key not in some]
        return left_out

    async def _not_theirs(self, worker: str, number: int, changes: Sequence[Change]) -> frozenset[int]:
        """Write a note, if the worker may begin all that it is to begin; else return what it may not."""
        begun = [change.key for change in changes if change.state is DeliveryState.SENDING]
        note = {"worker": worker, "number": number, "changes": _text(changes)}
        if not self._database.is_postgresql:
            return await self._database.write_at_once(lambda connection: self._write(connection, note, begun))
        values = [f"{value}".encode() for value in note.values()]
        with store_errors(self._database.where):
            is_alive, not_theirs = await self._write_alone(
                [*values, b"{%b}" % b",".join(b"%d" % key for key in begun)]
            )
        if is_alive != b"t":
            raise LostWorkerError(f"{self._database.where}: worker {worker} was taken for dead")
        return frozenset(map(int, filter(None, not_theirs.strip(b"{}").split(b","))))

    async def close(self) -> None:
        """Let go of the connection; the next note opens another."""
        connection, statement = self._connection, self._statement
        self._connection = self._statement = None
        if statement is not None:
            statement.close()
        if connection is not None:
            with suppress(StoreError), store_errors(self._database.where):
                await connection.invalidate()
                await connection.close()

    async def _write_alone(self, values: Sequence[bytes]) -> tuple[bytes, bytes]:
        """Write a note in one round trip; once more where the connection turns out to be gone."""
        statement = await self._prepared()
        try:
            row = await statement.row(values)
        except Exception:
            if not statement.is_over:
                raise
            row = await (await self._prepared()).row(values)
        is_alive, not_theirs = row
        return is_alive or b"", not_theirs or b""

    async def _prepared(self) -> Prepared:
        """Return the statement, on a connection that is opened when it is needed."""
        from newsletter.store.prepared import Prepared

        async with self._opening:
            if self._statement is None or self._statement.is_over:
                await self.close()
                self._connection = await self._database.apart.connect()
                driver = await raw_connection(self._connection)
                await driver.set_autocommit(True)
                self._statement = Prepared(driver.pgconn, _WRITE)
                await self._statement.prepare()
            return self._statement

    async def _write(
        self, connection: AsyncConnection, note: Mapping[str, Any], begun: Sequence[int]
    ) -> frozenset[int]:
        """Write a note to SQLite."""
        await self._workers.confirm(connection, note["worker"])
        theirs = sa.select(deliveries.c.key).where(
            among(connection, deliveries.c.key, begun),
            deliveries.c.claimed_by == note["worker"],
            deliveries.c.state.in_(WAITING),
        )
        not_theirs = frozenset(begun) - frozenset(await connection.scalars(theirs))
        if not not_theirs:
            await connection.execute(insert(connection, worker_notes).values(note).on_conflict_do_nothing())
        return not_theirs


async def notes_of(connection: AsyncConnection, worker: str) -> list[Change]:
    """Return what a worker has noted and the rows of deliveries don't say yet, in order."""
    theirs = sa.select(worker_notes.c.changes).where(worker_notes.c.worker == worker)
    rows = await connection.scalars(theirs.order_by(worker_notes.c.number))
    return [change for row in rows for change in _changes(row)]


async def forget(connection: AsyncConnection, worker: str, *, up_to: int | None = None) -> None:
    """Delete a worker's notes, all or those up to a number: the rows of deliveries say the same."""
    theirs = worker_notes.c.worker == worker
    if up_to is not None:
        theirs &= worker_notes.c.number <= up_to
    await connection.execute(sa.delete(worker_notes).where(theirs))


async def note_writers(connection: AsyncConnection) -> Collection[str]:
    """Return the workers that have noted what the rows of deliveries don't say yet."""
    return list(await connection.scalars(sa.select(worker_notes.c.worker).distinct()))


_SENDING, _AS_TEXT = DeliveryState.SENDING, {state: state.value for state in DeliveryState}  # for each message


def _text(changes: Sequence[Change]) -> str:
    """Return changes as JSON: an array for each, as `TAKE_NOTED` reads it; that of an intent is shorter."""
    return to_json([_noted(*change) for change in changes]).decode()


def _noted(key: int, state: DeliveryState, at: datetime, attempts: int, *rest: Any) -> tuple[Any, ...]:
    if state is _SENDING:
        return key, "sending", at, attempts
    next_attempt_at, code, text, *others = rest
    return key, _AS_TEXT[state], at, attempts, next_attempt_at, code, kept(text), *others


def _changes(text: str) -> list[Change]:
    found = []
    for key, state, at, attempts, *rest in from_json(text):
        change = Change(key, DeliveryState(state), read_moment(at), attempts, *rest)
        if change.next_attempt_at:
            change = change._replace(next_attempt_at=read_moment(change.next_attempt_at))
        found.append(change)
    return found


# Who buries the worker waits for its row to be free. A note is written whole or not at all, so what it begins was
# the worker's to begin, even if it is withdrawn before the row of the delivery says so. Each delivery is looked up
# by its key. In a join, PostgreSQL would go through all that the worker holds, for each note: when it plans this,
# the statistics are of a time at which nothing was held.
_WRITE = """
    WITH alive AS (SELECT name FROM workers WHERE name = $1::text FOR KEY SHARE),
        not_theirs AS (
            SELECT begun FROM unnest($4::bigint[]) AS begun
            WHERE (
                SELECT claimed_by = $1::text AND state IN ('queued', 'deferred') FROM deliveries WHERE key = begun
            ) IS NOT TRUE
        ),
        written AS (
            INSERT INTO worker_notes (worker, number, changes)
            SELECT name, $2::bigint, $3::text FROM alive WHERE NOT EXISTS (SELECT FROM not_theirs)
            ON CONFLICT DO NOTHING
        )
    SELECT EXISTS (SELECT FROM alive), ARRAY(SELECT begun FROM not_theirs)
"""
