"""Work that ends early when it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from newsletter.core.errors import StoppedError

Result = TypeVar("Result")

_SECONDS_TO_CLEAN_UP = 1.0
_REASON = "asked to stop; run again later"


async def unless_stopped(stop: asyncio.Event | None, work: Coroutine[None, None, Result]) -> Result:
    """Return what some work returns, unless `stop` is set before: then it is cancelled, whatever it waits for.

    For work that may be left undone, such as reading a source.

    Raises:
        StoppedError: `stop` was set first.
    """
    if stop is None:
        return await work
    if stop.is_set():
        work.close()
        raise StoppedError(_REASON)
    doing, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([doing, stopping], return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
    finally:
        stopping.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait([doing], timeout=_SECONDS_TO_CLEAN_UP)
    raise StoppedError(_REASON)


@asynccontextmanager
async def stopping_after(
    end: Callable[[], Coroutine[Any, Any, object]], stop: asyncio.Event | None
) -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set when `stop` is set, or when `end` has come.

    Args:
        end: is awaited, and returns when it is time to stop; cancelled if that is not needed any more.
        stop: is set to stop for another reason; None: there is no other.
    """
    either = asyncio.Event()
    watching = asyncio.create_task(_watch(end, stop or asyncio.Event(), either))
    try:
        yield either
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def _watch(
    end: Callable[[], Coroutine[Any, Any, object]], stop: asyncio.Event, either: asyncio.Event
) -> None:
    ways = [asyncio.ensure_future(end()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        either.set()
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
