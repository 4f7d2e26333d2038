"""Delivery whose intents are kept outside of this machine before anything is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from typing_extensions import override

from newsletter.ports import ChunkDelivery, ChunkReport, Clock, LedgerKeeper, Message, Outbox, Progress
from newsletter.stopping import stopping_after

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
        deliver = partial(
            self.delivery.deliver_chunk, issue_key, message_for, most=most, due_by=now, progress=progress
        )
        if due is None or due > now:
            return await deliver(stop=stop)
        until = await self.keeper.begin(issue_key, now=now)
        seconds = (until - self.clock()) / timedelta(seconds=1)
        async with stopping_after(partial(_over, seconds), stop) as either:
            return await deliver(stop=either)


async def _over(seconds: float) -> None:
    await asyncio.sleep(max(seconds, 0))
    log.info("delivery_goes_on_later", reason="the time that was announced for it is over")
