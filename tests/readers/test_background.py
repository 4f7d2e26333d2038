"""Work in the background is done when it is asked for, one at a time, whatever it raises."""

from __future__ import annotations

import asyncio

from newsletter.core.errors import StoreError
from newsletter.readers.background import Background


class Work:
    """Counts how often it is done, and waits in the middle."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self.outcomes = list(outcomes)
        self.begun = 0
        self.at_once = 0
        self.most_at_once = 0
        self.may_end = asyncio.Event()

    async def __call__(self, _: asyncio.Event) -> bool:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.may_end.wait()
        finally:
            self.at_once -= 1
        outcome = self.outcomes.pop(0) if self.outcomes else True
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def until(self, begun: int) -> None:
        async with asyncio.timeout(10):
            while self.begun < begun or self.at_once:  # noqa: ASYNC110 (the work counts itself)
                await asyncio.sleep(0)


async def test_what_is_asked_for_meanwhile_is_done_once_more_and_never_at_the_same_time() -> None:
    work = Work()
    background = Background("work", work)
    for _ in range(3):
        background.soon()
    await asyncio.sleep(0)
    for _ in range(3):
        background.soon()
    work.may_end.set()
    await work.until(2)
    await background.close(within=1)
    assert (work.begun, work.most_at_once) == (2, 1)


async def test_what_was_left_is_tried_again_after_the_pause() -> None:
    work = Work(False, StoreError("the ledger is locked"), RuntimeError("a defect"))
    work.may_end.set()
    background = Background("work", work, pause=0.01)
    background.soon()
    await work.until(4)
    await background.close(within=1)
    assert work.begun == 4


async def test_without_a_pause_what_was_left_waits_to_be_asked_for() -> None:
    work = Work(False)
    work.may_end.set()
    background = Background("work", work)
    background.soon()
    await work.until(1)
    await asyncio.sleep(0.02)
    assert work.begun == 1
    background.soon()
    await work.until(2)
    await background.close(within=1)


async def test_closing_waits_for_what_is_in_hand_and_then_cuts_it_off() -> None:
    work = Work()
    background = Background("work", work, pause=60)
    background.soon()
    await asyncio.sleep(0)
    await background.close(within=0.05)
    assert (work.begun, work.at_once) == (1, 0)
    background.soon()
    await asyncio.sleep(0)
    assert work.begun == 1


async def test_closing_does_not_wait_for_the_pause() -> None:
    work = Work(False)
    work.may_end.set()
    background = Background("work", work, pause=3600)
    background.soon()
    await work.until(1)
    async with asyncio.timeout(5):
        await background.close(within=60)
    assert work.begun == 1
