"""How many messages a second."""

from __future__ import annotations

import asyncio
from math import inf

_AHEAD = 0.1  # seconds by which messages may come early, to make up for turns of the event loop that came late


class Pace:
    """Spaces messages evenly (the generic cell rate algorithm of ITU-T I.371).

    `free_at` is when it will be as if no message had gone before, in the loop's time.
    """

    def __init__(self, rate: float, *, used_at: float = -inf) -> None:
        """Begin.

        Args:
            rate: messages per second; 0 sets no limit.
            used_at: until when unknown messages may have gone, within the rate; in the loop's time.
        """
        self._interval = 1 / rate if rate else 0.0
        self.free_at = -inf
        self.was_used(used_at)

    @property
    def is_open(self) -> bool:
        """Return whether a message may go now."""
        return not self._interval or self.free_at <= asyncio.get_running_loop().time() + _AHEAD

    @property
    def opens_at(self) -> float:
        """Return when the next message may go, in the loop's time."""
        return self.free_at - _AHEAD

    def was_used(self, at: float) -> None:
        """Allow for unknown messages that may have gone, within the rate, up to a moment of the loop's time."""
        if self._interval:
            self.free_at = max(self.free_at, at + self._interval + _AHEAD)

    def reserve(self) -> float:
        """Take the next place and return in how many seconds it comes."""
        if not self._interval:
            return 0.0
        now = asyncio.get_running_loop().time()
        due = max(self.free_at, now)
        self.free_at = due + self._interval
        return max(0.0, due - now - _AHEAD)

    def give_back(self) -> None:
        """Give back a place that no message needed after all."""
        self.free_at -= self._interval
