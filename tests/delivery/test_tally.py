"""What is told of a chunk's progress."""

from __future__ import annotations

import asyncio
from typing import cast

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.delivery.tally import Tally
from newsletter.ports import Outbox
from tests.delivery.fakes import FakeOutbox


class Told:
    """Remembers what is said to remain."""

    def __init__(self) -> None:
        self.remaining: list[int] = []

    def delivered(self, _outcome: Outcome, remaining: int) -> None:
        self.remaining.append(remaining)


class SlowOutbox(FakeOutbox):
    """An outbox that takes a turn of the event loop to count."""

    counted = 0

    async def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        self.counted += 1
        await asyncio.sleep(0)
        return {DeliveryState.QUEUED: 9}


async def test_all_connections_know_what_remains_before_the_first_delivery_is_settled() -> None:
    outbox, told = SlowOutbox(), Told()
    tally = Tally(cast("Outbox", outbox), 1, told)

    async def connection() -> None:
        await tally.begin()
        tally.settled(Outcome(DeliveryState.SENT), DeliveryState.SENT)

    await asyncio.gather(*(connection() for _ in range(3)))

    assert (told.remaining, outbox.counted) == ([8, 7, 6], 1)
