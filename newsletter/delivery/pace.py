"""How many messages a second."""

from __future__ import annotations

import asyncio

_AHEAD = 0.1  # seconds by which messages may come early, to make up for turns of the event loop that came late


class Pace:
    """Spaces messages evenly (the generic cell rate algorithm of ITU-T I.371).

    `rate` is in messages per second; 0 sets no limit.
    """

    def __init__(self, rate: float) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._next = 0.0  # when the next message is due if all come evenly, in the loop's time

    @property
    def is_open(self) -> bool:
        """Tell whether a message may go now."""
        return not self._interval or self._next <= asyncio.get_running_loop().time() + _AHEAD

    def reserve(self) -> float:
        """Take the next place and return how many seconds off it is."""
        if not self._interval:
            return 0.0
        now = asyncio.get_running_loop().time()
        due = max(self._next, now)
        self._next = due + self._interval
        return max(0.0, due - now - _AHEAD)
