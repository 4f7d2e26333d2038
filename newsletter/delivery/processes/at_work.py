"""What a process does that delivers for another one: it obeys orders until that one ends it, or is gone itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from typing import IO, Any

import structlog
from structlog.contextvars import bound_contextvars
from typing_extensions import override

from newsletter.core.delivery import Outcome
from newsletter.core.errors import StoreError
from newsletter.delivery.processes.lines import (
    Deliver,
    Done,
    LedgerFailed,
    Logged,
    News,
    Settled,
    Stop,
    line_of,
    loggable,
    read_line,
)
from newsletter.ports import ChunkDelivery, Message, Progress

Say = Callable[[News], None]

_SAY_EVERY = 0.1  # seconds


async def obey(
    delivery: ChunkDelivery,
    message_for: Callable[[int], Awaitable[Message]],
    orders: asyncio.StreamReader,
    say: Say,
) -> None:
    """Deliver as orders say, until there are no more; then what is in flight is finished.

    Args:
        delivery: delivers in this process.
        message_for: gives an issue's message by the issue's key.
        orders: lines from the process that supervises this one. They end when it ends, however that is.
        say: tells it news.
    """
    stops: dict[int, asyncio.Event] = {}
    async with asyncio.TaskGroup() as chunks:  # a defect in one ends the process: the supervisor sees to the rest
        while line := await orders.readline():
            match read_line(line):
                case Deliver() as order:
                    stop = stops[order.chunk] = asyncio.Event()
                    work = chunks.create_task(_deliver(delivery, message_for, order, stop, say))
                    work.add_done_callback(lambda _, chunk=order.chunk: stops.pop(chunk, None))  # type: ignore[misc]
                case Stop(chunk) if chunk in stops:
                    stops[chunk].set()
        for stop in stops.values():
            stop.set()


async def _deliver(
    delivery: ChunkDelivery,
    message_for: Callable[[int], Awaitable[Message]],
    order: Deliver,
    stop: asyncio.Event,
    say: Say,
) -> None:
    progress = _Told(order.chunk, say)
    with bound_contextvars(**order.context):
        try:
            report = await delivery.deliver_chunk(
                order.issue_key, message_for, most=order.most, due_by=order.moment, progress=progress, stop=stop
            )
        except StoreError as error:
            news: News = LedgerFailed(order.chunk, str(error))
        else:
            news = Done.of(order.chunk, report)
    progress.tell()
    say(news)


class _Told(Progress):
    """Tells how many deliveries were settled, some at a time."""

    def __init__(self, chunk: int, say: Say) -> None:
        self._chunk, self._say = chunk, say
        self._states: Counter[str] = Counter()
        self._later: asyncio.TimerHandle | None = None

    @override
    def delivered(self, outcome: Outcome, remaining: int) -> None:
        self._states[outcome.state.value] += 1
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(_SAY_EVERY, self.tell)

    def tell(self) -> None:
        """Tell what was not told yet."""
        if self._later:
            self._later.cancel()
        states, self._states, self._later = self._states, Counter(), None
        if states:
            self._say(Settled(self._chunk, dict(states)))


async def connect_pipes(orders: IO[bytes], news: IO[bytes]) -> tuple[asyncio.StreamReader, Say]:
    """Return what reads orders from a pipe, and what writes news to another; neither blocks."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), orders)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, news)

    def say(told: News) -> None:
        if not transport.is_closing():  # else who supervised is gone, and the orders end with it
            transport.write(line_of(told))

    return reader, say


def log_by(say: Say, level: int) -> None:
    """Have what is logged from a level on told to who supervises, and logged there, as everything is."""

    def tell(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        values = {name: loggable(value) for name, value in event.items() if name != "event"}
        say(Logged(method, str(event["event"]), values))
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, tell],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
