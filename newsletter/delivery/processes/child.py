"""A process that delivers, as the one that supervises it sees it."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from itertools import count
from signal import Signals

import structlog
from structlog.contextvars import get_contextvars

from newsletter.core.errors import NewsletterError, StoreError
from newsletter.delivery.processes.lines import (
    MOST_BYTES,
    Deliver,
    Done,
    LedgerFailed,
    Logged,
    Order,
    Settled,
    Stop,
    line_of,
    read_line,
)
from newsletter.ports import ChunkReport

log = structlog.get_logger(__name__)

SettledSome = Callable[[dict[str, int]], None]  # is told how many more deliveries were settled, by state

_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_SECONDS_TO_END = 7.5  # it has six for what is in flight, see `delivery.settlement.Rules`
_numbers = count(1)


class ProcessDiedError(NewsletterError):
    """A process that delivers has ended though nobody asked it to."""


class Child:
    """One process: it delivers chunks, several at a time, until it is asked to end, or nobody supervises it."""

    def __init__(self, process: Process, place: int) -> None:
        self._process = process
        self._place = place
        self._chunks: dict[int, tuple[asyncio.Future[ChunkReport], SettledSome]] = {}
        # What is bound to the log here is of the chunk for which it starts, and not of all that come.
        self._reading = asyncio.create_task(self._read(), context=Context())
        self._is_ending = False

    @classmethod
    async def start(cls, command: Sequence[str], greeting: bytes, place: int) -> Child:
        """Start a process.

        Args:
            command: the program and its arguments.
            greeting: is written to its input, before any order. Secrets stand here: command lines are public.
            place: its number among those that deliver, for the log.

        Raises:
            OSError: there is no room for one more process.
        """
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            limit=MOST_BYTES,
            start_new_session=True,  # Ctrl-C is for the one that supervises: it says what is to be done
        )
        child = cls(process, place)
        child._write(greeting)
        log.info("delivery_process_started", process=place, pid=process.pid)
        return child

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Return whether orders make sense still."""
        return not (self._is_ending or self._reading.done())

    @property
    def busy(self) -> int:
        """Return how many chunks it has."""
        return len(self._chunks)

    async def deliver(
        self, issue_key: int, *, most: int | None, due_by: str | None, settled: SettledSome, stop: asyncio.Event
    ) -> ChunkReport:
        """Let it deliver what is due of an issue; see `ports.ChunkDelivery`.

        Raises:
            ProcessDiedError: it has ended before the chunk was.
            StoreError: it can't read or write the ledger.
        """
        if not self.lives:
            raise ProcessDiedError(self._how_it_ended)
        chunk = next(_numbers)
        ended: asyncio.Future[ChunkReport] = asyncio.get_running_loop().create_future()
        self._chunks[chunk] = ended, settled
        context = {name: value for name, value in get_contextvars().items() if name != "process"}
        self._tell(Deliver(chunk=chunk, issue_key=issue_key, most=most, due_by=due_by, context=context))
        stopping = asyncio.create_task(self._stop_when_set(stop, chunk))
        try:
            return await ended
        except asyncio.CancelledError:
            self._tell(Stop(chunk))
            raise
        finally:
            stopping.cancel()
            self._chunks.pop(chunk, None)

    async def end(self) -> None:
        """Let it finish what is in flight, and end; kill it if that takes too long."""
        self._is_ending = True
        if self._process.stdin:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(_SECONDS_TO_END):
                await self._process.wait()
        except TimeoutError:
            self._kill("it did not end when asked to")
            await self._process.wait()
        await asyncio.wait([self._reading])

    async def _stop_when_set(self, stop: asyncio.Event, chunk: int) -> None:
        """Let it stop a chunk, and kill it if it does not: it hangs, or was halted itself."""
        await stop.wait()
        self._tell(Stop(chunk))
        await asyncio.sleep(_SECONDS_TO_END)
        self._kill("it did not stop when asked to")

    def _kill(self, reason: str) -> None:
        log.warning("delivery_process_killed", process=self._place, reason=reason)
        with suppress(ProcessLookupError):
            self._process.kill()

    def _tell(self, order: Order) -> None:
        self._write(line_of(order))

    def _write(self, line: bytes) -> None:
        if self._process.stdin and not self._process.stdin.is_closing():
            with suppress(OSError, RuntimeError):  # it has died, which is noticed by what it says no more
                self._process.stdin.write(line)

    async def _read(self) -> None:
        """Take in what the process tells, until it ends."""
        try:
            while line := await self._next_line():
                self._hear(line)
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()  # one that closes its output without ending is of no use
            await self._process.wait()
            if not self._is_ending:
                log.warning("delivery_process_died", process=self._place, reason=self._how_it_ended)
            for ended, _ in self._chunks.values():
                if not ended.done():
                    ended.set_exception(ProcessDiedError(self._how_it_ended))

    async def _next_line(self) -> bytes:
        try:
            return await self._process.stdout.readline() if self._process.stdout else b""
        except (OSError, ValueError):  # a line without an end
            return b""

    def _hear(self, line: bytes) -> None:
        match read_line(line):
            case Settled(chunk, states) if self._waits_for(chunk):
                self._chunks[chunk][1](states)
            case Done(chunk, report) if self._waits_for(chunk):
                self._chunks[chunk][0].set_result(ChunkReport(**report))
            case LedgerFailed(chunk, reason) if self._waits_for(chunk):
                self._chunks[chunk][0].set_exception(StoreError(reason))
            case Logged(level, event, values) if level in _LEVELS:
                getattr(log, level)(event, **values | {"process": self._place})

    def _waits_for(self, chunk: int) -> bool:
        return chunk in self._chunks and not self._chunks[chunk][0].done()

    @property
    def _how_it_ended(self) -> str:
        code = self._process.returncode
        if code is None:
            return "it is ending"
        return f"killed by {_signal_name(-code)}" if code < 0 else f"exit {code}"


def _signal_name(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
