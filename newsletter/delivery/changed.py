"""Waiting until something changes."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Changed:
    """Wakes all who wait whenever something changes that may matter to them; each of them looks again."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def notify(self) -> None:
        """Wake all who wait."""
        if self._next:
            self._next.set_result(None)
            self._next = None

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for the next change, for `seconds` at most; None: for as long as it takes."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._next), seconds)
