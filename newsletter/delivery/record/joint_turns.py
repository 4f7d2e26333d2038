"""Something that is done once for all who ask for it while it is being done for others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


def _never() -> bool:
    return False


class JointTurns(Generic[Result]):
    """Takes turns at an act, each for all who have asked since the turn before began.

    Up to `most` turns are under way at the same time. One that is asked for begins beside others if it `overlaps`,
    which is found out when somebody asks; else it begins when another one has ended.
    """

    def __init__(
        self, act: Callable[[], Awaitable[Result]], *, most: int = 1, overlaps: Callable[[], bool] = _never
    ) -> None:
        self._act = act
        self._most, self._overlaps = most, overlaps
        self._asked: asyncio.Future[Result] | None = None
        self._under_way = set[asyncio.Future[Result]]()
        self._tasks = set[asyncio.Task[None]]()

    def ask(self) -> asyncio.Future[Result]:
        """Return a future for a turn that begins after this call."""
        if self._asked is None:
            self._asked = asyncio.get_running_loop().create_future()
        if not self._tasks or (len(self._tasks) < self._most and self._overlaps()):
            self._tasks.add(asyncio.create_task(self._go_on()))
        return self._asked

    async def ended(self) -> None:
        """Wait for a turn that begins after this call, and for all that are under way.

        Raises:
            Exception: whatever the act raised in the turn that begins.
        """
        before = [asyncio.shield(turn) for turn in self._under_way]
        await asyncio.shield(self.ask())
        await asyncio.gather(*before, return_exceptions=True)

    async def end(self) -> None:
        """Wait until nobody waits for a turn."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _go_on(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, None
            self._under_way.add(asked)
            try:
                asked.set_result(await self._act())
            except Exception as error:  # noqa: BLE001 - it is for those who asked
                asked.set_exception(error)
                asked.exception()  # they may have gone
            self._under_way.discard(asked)
        task = asyncio.current_task()
        if task:
            self._tasks.discard(task)  # at once: who asks from now on needs another
