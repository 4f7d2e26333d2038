"""How time grows with the length of an input: twice the input may take about twice the time, and not four times.

A text is made of a head, a body that is repeated, and a tail, each of what parsers stumble over. It is lengthened
fourfold until it takes long enough to measure; then the next doubling tells.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from time import process_time

from tests.fuzz.target import Target, hostile

_SHORTEST = 500  # characters
_MEASURABLE = 0.03  # seconds of the processor
_TOO_STEEP = 3.0  # times for a text of twice the length; 2 is linear, 4 quadratic


@dataclass(frozen=True, slots=True)
class Shape:
    """A text of any length."""

    head: str
    body: str
    tail: str

    @classmethod
    def of(cls, random: Random) -> Shape:
        """Return a shape by chance."""
        head = "".join(hostile(random) for _ in range(random.choice((0, 0, 1))))
        tail = "".join(hostile(random) for _ in range(random.choice((0, 0, 1))))
        return cls(head, hostile(random), tail)

    def text(self, length: int) -> str:
        """Return the text of about a length."""
        return self.head + self.body * max(1, length // len(self.body)) + self.tail

    def __str__(self) -> str:
        """Return it as an expression of Python."""
        return f"{self.head!r} + {self.body!r} * n + {self.tail!r}"


@dataclass(frozen=True, slots=True)
class Steep:
    """Time that grows faster than the input."""

    shape: Shape
    length: int
    seconds: float
    doubled: float  # seconds for twice the length

    def __str__(self) -> str:
        """Return it for people."""
        once = f"{self.length:,} characters {self.seconds:.3f} s"
        return f"{self.shape}: {once}, {2 * self.length:,} {self.doubled:.3f} s"


def steep(target: Target, shape: Shape, *, clock: Callable[[], float] = process_time) -> Steep | None:
    """Return how time grows on a shape, if it does so faster than the input; else None.

    Args:
        target: what reads the text. Its documented exceptions count as an answer, others leave.
        shape: of the text.
        clock: seconds that were used so far.
    """

    def seconds_for(length: int) -> float:
        value = target.longer(shape.text(length))
        began = clock()
        with suppress(*target.documented):
            target.check(value)
        return clock() - began

    length = _SHORTEST
    while (seconds := seconds_for(length)) < _MEASURABLE:
        length *= 4
        if length > target.longest:
            return None
    doubled = seconds_for(2 * length)
    if doubled <= _TOO_STEEP * seconds:
        return None
    seconds = max(seconds, seconds_for(length))  # once more: the machine may have been busy
    doubled = min(doubled, seconds_for(2 * length))
    return Steep(shape, length, seconds, doubled) if doubled > _TOO_STEEP * seconds else None
