"""Waiting for whatever changes."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Bell:
    """Rung when something changes that others may be waiting for; they look again, each for itself."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake all who wait."""
        if self._next:
            self._next.set_result(None)
            self._next = None

    async def wait(self, seconds: float | None = None) -> None:
        """Wait for the next ring, or so long."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._next), seconds)
