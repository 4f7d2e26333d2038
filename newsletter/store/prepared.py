"""One statement that a connection to PostgreSQL runs again and again, for each few messages.

psycopg's own cursors look at each value's type, and enter and leave the event loop for each answer. That takes the
program twice as long as all the rest of a note. So this speaks to libpq itself and stays in the loop
(https://www.psycopg.org/psycopg3/docs/api/pq.html). A question need not wait for the answer to the one before: the
server takes them one after the other, each in a transaction of its own
(https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from psycopg import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_NAME = b"newsletter"


class Prepared:
    """The statement, prepared. The connection is for nothing else; when it `is_over` it can only be closed."""

    def __init__(self, connection: PGconn, statement: str) -> None:
        self._connection = connection
        self._socket = connection.socket  # a connection that is lost does not tell it any more
        self._statement = statement.encode()
        self._loop = asyncio.get_running_loop()
        self._answers = deque[asyncio.Future[PGresult]]()  # to what was asked, in order
        self._result: PGresult | None = None  # of the first question; the server has not said yet that this is all
        self._sending = asyncio.Lock()
        self.is_over = False
        self._loop.add_reader(self._socket, self._read)

    async def prepare(self) -> None:
        """Have the server read the statement; parameters are written $1, $2, … with their types.

        Raises:
            psycopg.Error: the server refuses, or the connection is gone.
        """
        self._connection.enter_pipeline_mode()
        await self._ask(lambda: self._connection.send_prepare(_NAME, self._statement))

    async def row(self, parameters: Sequence[bytes]) -> tuple[bytes | None, ...]:
        """Run the statement, and return its one row; all values are as PostgreSQL writes them in text.

        Those who call at the same time are served in the order of their calls.

        Raises:
            psycopg.Error: the server refuses, or the connection is gone.
        """
        result = await self._ask(lambda: self._connection.send_query_prepared(_NAME, parameters))
        return tuple(result.get_value(0, column) for column in range(result.nfields))

    def close(self) -> None:
        """Let go of the connection; who waits for an answer is told so."""
        self._end(OperationalError("the connection is closed"))

    async def _ask(self, send: Callable[[], None]) -> PGresult:
        async with self._sending:
            if self.is_over:
                raise OperationalError("the connection is closed")
            answer: asyncio.Future[PGresult] = self._loop.create_future()
            try:
                send()
                self._connection.pipeline_sync()
                self._answers.append(answer)
                await self._flush()
            except BaseException:  # what was sent may be half a question
                self.close()
                raise
        result = await answer
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
        try:
            self._connection.consume_input()
            while self._answers and not self._connection.is_busy():
                result = self._connection.get_result()
                if result is None:
                    continue
                if result.status != ExecStatus.PIPELINE_SYNC:
                    self._result = result
                elif self._result is not None:
                    self._tell(self._result)
        except Exception as error:  # noqa: BLE001 - it is for who asked
            self._end(error)

    def _tell(self, result: PGresult) -> None:
        """Give the first who waits an answer, who may have gone."""
        answer, self._result = self._answers.popleft(), None
        if not answer.done():
            answer.set_result(result)

    def _end(self, error: Exception) -> None:
        if self.is_over:
            return
        self.is_over = True
        self._loop.remove_reader(self._socket)
        while self._answers:
            answer = self._answers.popleft()
            if not answer.done():
                answer.set_exception(error)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
