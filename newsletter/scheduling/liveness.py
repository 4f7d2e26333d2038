"""Whether the work of a process that runs for ever goes on, or hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from typing_extensions import override

from newsletter.core.delivery import Outcome
from newsletter.ports import Progress

# A tick leaves alone what an earlier one is still at, so one ends soon even beside a long delivery. All that it
# waits for has an end: a locked database, for example, after a minute.
LONGEST_WITHOUT_TICK = timedelta(minutes=5)
_TICKS_LEFT_OUT = 3  # for so many, where ticks are that far apart
# Nothing that works takes so long between two signs of life: a relay may think about one message for an hour.
LONGEST_WITHOUT_SIGN = timedelta(hours=2)


class Liveness:
    """Notes signs of life: of ticks that end, and of each piece of work while it goes on.

    Times are those of a clock that is never set, and stands while the machine sleeps.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Begin, as if a tick had just ended; `clock` returns seconds."""
        self._clock = clock
        self._ticked = clock()
        self._longest = LONGEST_WITHOUT_TICK
        self._signs: dict[str, float] = {}  # when work that goes on gave its last one

    def expect_ticks(self, every: timedelta) -> None:
        """Take note of the interval at which ticks begin."""
        self._longest = max(LONGEST_WITHOUT_TICK, _TICKS_LEFT_OUT * every)

    def ticked(self) -> None:
        """Note that a tick has ended, well or not: an error that is told is no hang."""
        self._ticked = self._clock()

    @contextmanager
    def at_work(self, name: str) -> Iterator[None]:
        """Note that a piece of work goes on for as long as the context lasts."""
        self._signs[name] = self._clock()
        try:
            yield
        finally:
            del self._signs[name]

    def sign(self, name: str) -> None:
        """Note a sign of life of a piece of work, if it goes on."""
        if name in self._signs:
            self._signs[name] = self._clock()

    def progress(self, name: str) -> Progress:
        """Return what takes each delivery for a sign of life of a piece of work."""
        return _Progress(lambda: self.sign(name))

    def trouble(self) -> str:
        """Return what hangs and since when, in words, or nothing."""
        now = self._clock()
        if (since := now - self._ticked) > self._longest.total_seconds():
            return f"hangs: nothing was looked for that is due, for {_in_words(since)}"
        for name, sign in self._signs.items():
            if (since := now - sign) > LONGEST_WITHOUT_SIGN.total_seconds():
                return f"hangs: {name} has made no progress for {_in_words(since)}"
        return ""


class _Progress(Progress):
    def __init__(self, sign: Callable[[], None]) -> None:
        self._sign = sign

    @override
    def delivered(self, outcome: Outcome, remaining: int) -> None:
        self._sign()


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes"
