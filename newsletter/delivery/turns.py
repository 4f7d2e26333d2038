"""Short turns of the event loop while mail is sent."""

from __future__ import annotations

import asyncio
from collections import deque

# Messages, of a few tenths of a millisecond each, where the same process answers visitors.
BESIDE_VISITORS = 3


class Turns:
    """Lets some connections go on in each turn of the event loop; the others follow in the order of their coming.

    The loop runs whatever is ready before it looks for anything new. If all connections had a message to hand
    over, a visitor of the pages would wait for all of them, at each of the steps that an answer takes.
    """

    def __init__(self, each: int) -> None:
        """Begin with a turn in which nobody went on yet.

        Args:
            each: how many may go on in a turn; 0: all, at no cost.
        """
        self._each = self._left = each
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next: asyncio.Handle | None = None

    async def take(self) -> None:
        """Go on in this turn of the loop, or wait for a later one."""
        if not self._each:
            return
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.call_soon(self._begin)
        if self._left > 0:
            self._left -= 1
            return
        place = loop.create_future()
        self._waiting.append(place)
        await place

    def take_at_once(self) -> bool:
        """Return whether to go on in this turn of the loop; else `take` says when."""
        if not self._each:
            return True
        if self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._begin)
        if self._left <= 0 or self._waiting:
            return False
        self._left -= 1
        return True

    def _begin(self) -> None:
        self._left, self._next = self._each, None
        while self._waiting and self._left > 0:
            place = self._waiting.popleft()
            if not place.done():  # who was cancelled needs none
                place.set_result(None)
                self._left -= 1
        if self._left < self._each:
            self._next = asyncio.get_running_loop().call_soon(self._begin)
