"""Something that is done once for all who ask for it while it is being done for others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class JointTurns(Generic[Result]):
    """Takes turns at an act, one after the other, each for all who have asked since the turn before began."""

    def __init__(self, act: Callable[[], Awaitable[Result]]) -> None:
        self._act = act
        self._asked: asyncio.Future[Result] | None = None
        self._taking: asyncio.Task[None] | None = None

    def ask(self) -> asyncio.Future[Result]:
        """Return a future for a turn that begins after this call."""
        if self._asked is None:
            self._asked = asyncio.get_running_loop().create_future()
        if self._taking is None:
            self._taking = asyncio.create_task(self._go_on())
        return self._asked

    async def end(self) -> None:
        """Wait until nobody waits for a turn."""
        if self._taking:
            await self._taking

    async def _go_on(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, None
            try:
                asked.set_result(await self._act())
            except Exception as error:  # noqa: BLE001 - it is for those who asked
                asked.set_exception(error)
                asked.exception()  # they may have gone
        self._taking = None  # at once: who asks from now on needs another
