"""How many messages a second."""

from __future__ import annotations

import asyncio
from math import inf

AHEAD = 0.1  # seconds by which messages may come early, to make up for turns of the event loop that came late


class Pace:
    """Spaces the messages of one process evenly (the generic cell rate algorithm of ITU-T I.371).

    `free_at` is when it will be as if no message had gone before, in the loop's time.
    """

    def __init__(self, rate: float) -> None:
        """Begin as if no message had ever gone.

        Args:
            rate: messages per second; 0 sets no limit.
        """
        self.spacing = 1 / rate if rate else 0.0
        self.free_at = -inf

    @property
    def is_open(self) -> bool:
        """Return whether a message may go now."""
        return not self.spacing or self.free_at <= asyncio.get_running_loop().time() + AHEAD

    @property
    def opens_at(self) -> float:
        """Return when the next message may go, in the loop's time."""
        return self.free_at - AHEAD

    @property
    def is_unused(self) -> bool:
        """Return whether it is as if no message had ever gone."""
        return self.free_at <= asyncio.get_running_loop().time()

    def reserve(self) -> float:
        """Take the next place and return in how many seconds it comes."""
        if not self.spacing:
            return 0.0
        now = asyncio.get_running_loop().time()
        due = max(self.free_at, now)
        self.free_at = due + self.spacing
        return max(0.0, due - now - AHEAD)

    async def get_ready(self) -> float:
        """Have the next place at hand for `reserve`; return in how many seconds to try again, 0: it is at hand."""
        return 0.0

    def give_back(self) -> None:
        """Give back a place that no message needed after all."""
        self.free_at -= self.spacing
