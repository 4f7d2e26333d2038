"""What the connections of one relay know of refusals that may be about us; see `newsletter.core.refusals`.

A delivery whose refusal is in doubt is deferred in the ledger, so that a process which is killed leaves nothing
open, and set aside here until it is known what it was: refused, or queued again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from newsletter.core.delivery import Change, Delivery, Doubt, Outcome
from newsletter.core.refusals import answer_key, is_about_us

_MOST_ANSWERS = 100  # that are remembered; a relay has a handful


class InDoubt(NamedTuple):
    """A delivery that was refused in doubt, and how it was deferred; `number` counts from 0."""

    number: int
    delivery: Delivery
    outcome: Outcome
    deferred: Change


class Doubts:
    """The refusals in doubt of one relay in one chunk. `in_flight` messages may be on their way to it at once."""

    def __init__(self, relay: str, *, in_flight: int) -> None:
        self.relay = relay
        self.noted = 0  # refusals; if a message that is begun now goes through, these were about their readers
        self.taken = 0  # messages that went through
        self.in_trouble = False
        self.open: dict[int, InDoubt] = {}
        self._in_flight = in_flight
        self._of_readers: set[str] = set()  # answers that turned out to be about readers

    def note(self, delivery: Delivery, outcome: Outcome, deferred: Change) -> bool:
        """Set a delivery aside; return whether by now the relay takes nothing from us."""
        self.open.pop(delivery.key, None)  # its place is among the latest
        self.open[delivery.key] = InDoubt(self.noted, delivery, outcome, deferred)
        self.noted += 1
        self.in_trouble = is_about_us([self.doubt(one) for one in self.open.values()], in_flight=self._in_flight)
        return self.in_trouble

    def went_through(self, delivery: Delivery, known: int) -> Sequence[InDoubt]:
        """Note that a message went through that was begun when `known` refusals had been noted.

        Returns:
            The deliveries that are refused therefore.
        """
        self.taken += 1
        if not self.open and not self.in_trouble:
            return ()
        self.in_trouble = False
        self.open.pop(delivery.key, None)
        refused = [one for one in self.open.values() if one.number < known]
        for one in refused:
            del self.open[one.delivery.key]
            if len(self._of_readers) < _MOST_ANSWERS:
                self._of_readers.add(_answer(one))
        return refused

    def doubt(self, one: InDoubt) -> Doubt:
        """Return how much a refusal sounds like ours, by what is known of the same answer to others."""
        return Doubt.SOME if _answer(one) in self._of_readers else one.outcome.doubt

    def take_all(self) -> list[InDoubt]:
        """Return what is open, and forget it."""
        found = list(self.open.values())
        self.open.clear()
        return found

    def trouble(self, outcome: Outcome) -> str:
        """Return in one line what the trouble is."""
        readers = (
            "one reader after another" if self.in_trouble else f"all {len(self.open)} readers that it was given"
        )
        return f"{self.relay} refuses {readers}: {outcome.code} {outcome.text}"


def _answer(one: InDoubt) -> str:
    return answer_key(one.outcome.code, one.outcome.text)
