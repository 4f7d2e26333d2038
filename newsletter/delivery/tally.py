"""What a chunk has come to so far."""

from __future__ import annotations

import asyncio
from collections import Counter

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.ports import ClaimedDeliveries, Progress

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)


class Tally:
    """Counts what was settled, by the state that it led to, and passes it on to whoever follows the progress."""

    def __init__(self, outbox: ClaimedDeliveries, issue_key: int, progress: Progress | None) -> None:
        self._outbox = outbox
        self._issue_key = issue_key
        self._progress = progress
        self._remaining: int | None = None
        self._counting = asyncio.Lock()
        self.states: Counter[DeliveryState] = Counter()

    async def begin(self) -> None:
        """Count the open deliveries of the issue, if there is a progress, before the first is settled."""
        if not self._progress or self._remaining is not None:
            return
        async with self._counting:  # once, although many connections begin at the same time; all wait for it
            if self._remaining is None:
                counts = await self._outbox.counts(self._issue_key)
                self._remaining = sum(counts.get(state, 0) for state in _OPEN)

    def settled(self, outcome: Outcome, state: DeliveryState) -> None:
        """Count one more delivery that was settled in `state`."""
        self.states[state] += 1
        if self._progress and self._remaining is not None:
            self._remaining -= 1
            self._progress.delivered(outcome, max(0, self._remaining))
