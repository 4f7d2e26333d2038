"""Delivering until the operator halts an issue: what is under way then is stopped as by a signal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from newsletter.core.errors import StoreError
from newsletter.ports import Halts

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0  # seconds


@asynccontextmanager
async def stopping_when_halted(
    halts: Halts, issue_key: int, stop: asyncio.Event | None
) -> AsyncIterator[asyncio.Event]:
    """Yield an event that is set when `stop` is set, or when the issue is paused or cancelled by any process.

    Args:
        halts: what the operator said of issues.
        issue_key: the issue's.
        stop: is set to stop for another reason; None: there is no other.
    """
    either = asyncio.Event()
    watching = asyncio.create_task(_watch(halts, issue_key, stop or asyncio.Event(), either))
    try:
        yield either
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(halts: Halts, issue_key: int, stop: asyncio.Event, either: asyncio.Event) -> None:
    while not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _LOOK_EVERY)
        if stop.is_set():
            break
        try:
            state = await halts.of(issue_key)
        except StoreError as error:  # nothing can be claimed then either
            log.warning("halt_not_looked_up", reason=str(error))
            continue
        if state.halt:
            log.info("delivering_halted", issue=issue_key, halt=state.halt.value)
            break
    either.set()
