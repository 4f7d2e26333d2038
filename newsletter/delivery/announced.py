"""Delivery whose intents are kept outside of this machine before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from typing_extensions import override

from newsletter.ports import ChunkDelivery, ChunkReport, Clock, LedgerKeeper, Message, Outbox, Progress

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedDelivery(ChunkDelivery):
    """Delivers by `delivery` what `keeper` has kept as in flight, and nothing else.

    What becomes due meanwhile, or is left when the keeper's time is over, waits for the next call.
    """

    delivery: ChunkDelivery
    keeper: LedgerKeeper
    outbox: Outbox
    clock: Clock

    @override
    async def recover(self) -> None:
        await self.delivery.recover()

    @override
    async def deliver_chunk(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        most: int | None = None,
        due_by: datetime | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        # What dead workers held is brought back first: else it would be sent without having been announced.
        await self.delivery.recover()
        now = self.clock() if due_by is None else min(due_by, self.clock())
        due = await self.outbox.next_due(issue_key)
        seconds = None
        if due is not None and due <= now:
            until = await self.keeper.begin(issue_key, now=now)
            seconds = (until - self.clock()) / timedelta(seconds=1)
        async with _stopping_after(seconds, stop) as either:
            return await self.delivery.deliver_chunk(
                issue_key, message_for, most=most, due_by=now, progress=progress, stop=either
            )


@asynccontextmanager
async def _stopping_after(
    seconds: float | None, stop: asyncio.Event | None
) -> AsyncIterator[asyncio.Event | None]:
    """Yield an event that is set when `stop` is set, or after some seconds; None: there is no such time."""
    if seconds is None:
        yield stop
        return
    either = asyncio.Event()
    watching = asyncio.create_task(_watch(seconds, stop or asyncio.Event(), either))
    try:
        yield either
    finally:
        watching.cancel()


async def _watch(seconds: float, stop: asyncio.Event, either: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), max(seconds, 0))
    if not stop.is_set():
        log.info("delivery_goes_on_later", reason="the time that was announced for it is over")
    either.set()
