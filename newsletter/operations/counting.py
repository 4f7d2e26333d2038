"""Counting readers again and again, but never for more than a hundredth of the time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from newsletter.ports import Growth

_REST = 100  # times as long as the last count took: a million readers take two seconds


class Counting:
    """Counts readers whenever it is called and has rested since the last time."""

    def __init__(self, growth: Growth, seconds: Callable[[], float]) -> None:
        """Begin, not having counted yet.

        Args:
            growth: counts, and keeps the numbers.
            seconds: a clock that is never set back.
        """
        self._growth, self._seconds = growth, seconds
        self._rests_until = 0.0

    async def count(self, now: datetime) -> bool:
        """Count the readers of all lists; return False if it rests still.

        Args:
            now: the present moment, aware.
        """
        began = self._seconds()
        if began < self._rests_until:
            return False
        await self._growth.count(now=now)
        ended = self._seconds()
        self._rests_until = ended + _REST * (ended - began)
        return True
