"""One run of delivering: what is recorded of each delivery, and what it all comes to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from newsletter.core.delivery import Change, DeliveryState, Outcome, RetryPolicy, Uncertain, begun, settled
from newsletter.delivery.bell import Bell
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.messages import Messages
from newsletter.delivery.supply import Supply
from newsletter.ports import Clock

if TYPE_CHECKING:
    from newsletter.core.delivery import Delivery
    from newsletter.ports import Outbox, Progress

log = structlog.get_logger(__name__)

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What to do with deliveries that don't go through at once.

    `jitter` gives random numbers in [0, 1). `pauses` are the seconds before each new attempt at a relay in
    trouble; after the last it is given up.
    """

    retry: RetryPolicy
    uncertain: Uncertain
    clock: Clock
    jitter: Callable[[], float]
    pauses: Sequence[float] = (1.0, 2.0, 4.0)


class Tally:
    """Counts what was settled, by the state that it led to, and tells whoever follows the progress."""

    def __init__(self, outbox: Outbox, progress: Progress | None) -> None:
        self._outbox = outbox
        self._progress = progress
        self._remaining: dict[int, int] = {}
        self.states: Counter[DeliveryState] = Counter()

    async def expect(self, issue_key: int) -> None:
        """Learn how many deliveries of an issue are open, for the progress, before its first one is settled."""
        if self._progress and issue_key not in self._remaining:
            self._remaining[issue_key] = 0  # one look, although many connections begin at once
            counts = await self._outbox.counts(issue_key)
            self._remaining[issue_key] += sum(counts.get(state, 0) for state in _OPEN)

    def settled(self, delivery: Delivery, outcome: Outcome, state: DeliveryState) -> None:
        """Count one more delivery that was settled in `state`."""
        self.states[state] += 1
        if self._progress:
            self._remaining[delivery.issue_key] -= 1
            self._progress.delivered(outcome, max(0, sum(self._remaining.values())))


@dataclass(slots=True, kw_only=True)
class Run:
    """What the connections of one run share. When it stops they finish what they have in hand."""

    supply: Supply
    ledger: Ledger
    rules: Rules
    messages: Messages
    tally: Tally
    bell: Bell
    stopped: bool = False
    trouble: str = ""  # what stopped the run, if it was not a relay
    given_back: set[int] = field(default_factory=set)

    @property
    def returned(self) -> set[int]:
        """Return the keys of deliveries that were taken up and are open still."""
        return self.given_back | self.supply.left

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is to be taken up."""
        return self.stopped or self.supply.is_exhausted

    def stop(self) -> None:
        """Take up nothing more."""
        self.stopped = True
        self.supply.stop()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until the run is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self.is_over and (left := until - loop.time()) > 0:
            await self.bell.wait(left)

    async def begin(self, delivery: Delivery) -> bool:
        """Record the intent, durable when this returns; tell whether the message may be sent.

        It may not if the delivery was withdrawn after it had been claimed.
        """
        left_out = await self.ledger.write(begun(delivery, self.rules.clock()))
        if delivery.key in left_out:
            log.info("delivery_withdrawn", delivery=delivery.key)
            self.supply.done(delivery)
            return False
        return True

    def settle(self, delivery: Delivery, outcome: Outcome) -> None:
        """Record what became of a delivery that was begun."""
        change = settled(delivery, outcome, self.rules.clock(), self.rules.retry, self.rules.jitter())
        self.ledger.note(change)
        if change.state is DeliveryState.UNCERTAIN:
            # Nobody knows whether the reader has it: within this run it isn't tried again, whatever the policy.
            self.supply.over(delivery)
            if self.rules.uncertain is Uncertain.RESEND and change.attempts < self.rules.retry.max_attempts:
                self.ledger.note(self._queued(delivery, change.attempts, outcome.text))
        self.given_back.discard(delivery.key)
        self.tally.settled(delivery, outcome, change.state)
        self.supply.done(delivery, outcome)

    async def give_back(self, delivery: Delivery, trouble: str) -> None:
        """Record that a delivery which was begun met with trouble that is not its reader's.

        It is queued again, to be tried when all others have been. The second time, if others did go through, it
        seems to be alone in its trouble and is deferred.
        """
        if self.supply.troubled(delivery) or not self.tally.states:
            self.given_back.add(delivery.key)
            self.ledger.note(self._queued(delivery, delivery.attempts, trouble))
            await self.ledger.flush()
            self.supply.done(delivery, refill=True)
        else:
            self.settle(delivery, Outcome(state=DeliveryState.DEFERRED, text=trouble))

    def _queued(self, delivery: Delivery, attempts: int, text: str) -> Change:
        at = self.rules.clock()
        return Change(key=delivery.key, state=DeliveryState.QUEUED, at=at, attempts=attempts, text=text)
