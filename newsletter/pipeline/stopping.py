"""Work that ends early when it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from newsletter.core.errors import StoppedError

Result = TypeVar("Result")

_SECONDS_TO_CLEAN_UP = 1.0


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


_REASON = "asked to stop; run again later"
