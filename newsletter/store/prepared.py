"""One statement that a connection to PostgreSQL runs again and again, for each few messages.

psycopg's own cursors look at each value's type, and enter and leave the event loop for each answer. That takes the
program twice as long as all the rest of a note. So this speaks to libpq itself and stays in the loop
(https://www.psycopg.org/psycopg3/docs/api/pq.html).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_NAME = b"newsletter"


class Prepared:
    """The statement, prepared. The connection is for nothing else; when it `is_over` it can only be closed."""

    def __init__(self, connection: PGconn, statement: str) -> None:
        self._connection = connection
        self._socket = connection.socket  # a connection that is lost does not tell it any more
        self._statement = statement.encode()
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[PGresult] | None = None
        self._one_at_a_time = asyncio.Lock()
        self.is_over = False
        self._loop.add_reader(self._socket, self._read)

    async def prepare(self) -> None:
        """Have the server read the statement; parameters are written $1, $2, … with their types.

        Raises:
            psycopg.Error: the server refuses, or the connection is gone.
        """
        await self._send(lambda: self._connection.send_prepare(_NAME, self._statement))

    async def row(self, parameters: Sequence[bytes]) -> tuple[bytes | None, ...]:
        """Run the statement, and return its one row; all values are as PostgreSQL writes them in text.

        Raises:
            psycopg.Error: the server refuses, or the connection is gone.
        """
        result = await self._send(lambda: self._connection.send_query_prepared(_NAME, parameters))
        return tuple(result.get_value(0, column) for column in range(result.nfields))

    def close(self) -> None:
        """Let go of the connection."""
        if not self.is_over:
            self.is_over = True
            self._loop.remove_reader(self._socket)

    async def _send(self, send: Callable[[], None]) -> PGresult:
        async with self._one_at_a_time:
            if self.is_over:
                raise OperationalError("the connection is closed")
            try:
                self._answer = self._loop.create_future()
                send()
                await self._flush()
                result = await self._answer
            except BaseException:  # nobody would take the answer, if there comes one
                self.close()
                raise
        if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            raise error_from_result(result)
        return result

    async def _flush(self) -> None:
        """Send what does not go out at once, as the connection takes it."""
        while self._connection.flush():
            ready = self._loop.create_future()
            self._loop.add_writer(self._socket, _set, ready)
            try:
                await ready
            finally:
                self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        """Take what has come; without a question, it says that the server ends."""
        answer = self._answer
        try:
            self._connection.consume_input()
            if self._connection.is_busy():
                self._listen_anew()
                return
            if answer is None or answer.done():
                return
            result = self._connection.get_result()
            while self._connection.get_result() is not None:
                pass
        except Exception as error:  # noqa: BLE001 - it is for who asked
            self.close()
            if answer is not None and not answer.done():
                answer.set_exception(error)
            return
        if result is None:
            return
        if result.status == ExecStatus.FATAL_ERROR and self._connection.status == ConnStatus.BAD:
            self.close()  # the socket is gone: its number may soon be another connection's
        answer.set_result(result)

    def _listen_anew(self) -> None:
        """Hear of what comes next, also on uvloop: once it was told of an error, it tells of nothing more.

        A server that is killed while it has something to read says a last word and resets the connection.
        """
        self._loop.remove_reader(self._socket)
        self._loop.add_reader(self._socket, self._read)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
