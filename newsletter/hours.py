"""Delivering within a list's hours: what is under way when they end is stopped as by a signal."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from newsletter.core.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from datetime import datetime

    from newsletter.ports import Clock

log = structlog.get_logger(__name__)
T = TypeVar("T")

_LOOK_AGAIN = 1.0  # seconds; clocks are set, and machines sleep


@asynccontextmanager
async def stopping_at(
    closes: datetime | None, clock: Clock, stop: asyncio.Event | None
) -> AsyncIterator[asyncio.Event | None]:
    """Give an event for the time of the context that is set when `stop` is, or when the hours end.

    Args:
        closes: when the hours end; None: they don't.
        clock: tells the time.
        stop: is set to stop for another reason; None: there is no other.
    """
    if closes is None:
        yield stop
        return
    either = asyncio.Event()
    watching = asyncio.create_task(_watch(closes, clock, stop or asyncio.Event(), either))
    try:
        yield either
    finally:
        watching.cancel()


async def unless_stopped(work: Coroutine[Any, Any, T], stop: asyncio.Event | None) -> T:
    """Return what some work comes to, unless the program is asked to end meanwhile: then it is cut off.

    Raises:
        StoppedError: it was cut off.
    """
    if stop is None:
        return await work
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise StoppedError("asked to stop while the sources were read; run again to go on")
    finally:
        for task in (working, stopped):
            task.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


async def _watch(closes: datetime, clock: Clock, stop: asyncio.Event, either: asyncio.Event) -> None:
    while not stop.is_set() and (left := (closes - clock()).total_seconds()) > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(left, _LOOK_AGAIN))
    if not stop.is_set():
        log.info("hours_over", closed_at=closes.isoformat())
    either.set()
