"""One run of delivering: what is recorded of each delivery, and what it all comes to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from newsletter.core.delivery import (
    Change,
    Delivery,
    DeliveryState,
    Outcome,
    RetryPolicy,
    Uncertain,
    begun,
    resent,
    settled,
)
from newsletter.core.refusals import at_the_end
from newsletter.delivery.changed import Bell
from newsletter.delivery.claims import Supply
from newsletter.delivery.limits.doubts import Doubts, InDoubt
from newsletter.delivery.messages.composer import Messages
from newsletter.delivery.record.notes import Ledger
from newsletter.ports import Clock, Outbox, Progress

log = structlog.get_logger(__name__)

# A deferred delivery may be another worker's when its time comes; shortly before, it isn't changed any more.
_MARGIN = timedelta(seconds=10)

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

    outbox: Outbox
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
        self._settle(delivery, outcome, self._settled(delivery, outcome))

    async def settle_uncertain(self, delivery: Delivery, outcome: Outcome) -> None:
        """Record that nobody knows whether the reader has the message; under `resend` it is sent again later."""
        self.supply.over(delivery)  # not within this run, whatever the policy
        change, again = self._settled(delivery, outcome), None
        if self.rules.uncertain is Uncertain.RESEND:
            times = 1 + await self.outbox.times(delivery.key, DeliveryState.UNCERTAIN)
            again = resent(delivery, change, times, self.rules.retry, self.rules.jitter())
            if again is None:
                log.warning("delivery_left_uncertain", delivery=delivery.key, times=times, reason=outcome.text)
        self._settle(delivery, outcome, *filter(None, (change, again)))

    def set_aside(self, delivery: Delivery, outcome: Outcome, doubts: Doubts) -> bool:
        """Record a refusal in doubt, as a deferral for now; tell whether the relay is in trouble with us."""
        change = self._settled(delivery, outcome._replace(state=DeliveryState.DEFERRED))
        if change.state is not DeliveryState.DEFERRED:  # it was its last attempt
            self._settle(delivery, outcome, change)
            return False
        self.ledger.note(change)
        self.given_back.discard(delivery.key)
        self.supply.probes = True
        self.supply.done(delivery, outcome)
        return doubts.note(delivery, outcome, change)

    def refuse(self, found: Sequence[InDoubt], doubts: Doubts) -> None:
        """Record that deliveries were refused for their readers: others' messages go through."""
        for one in found:
            self._decide(one, DeliveryState.REFUSED)
        self.supply.probes = bool(doubts.open)

    async def queue_again(self, doubts: Doubts) -> None:
        """Give back what is in doubt if the relay takes nothing from us at all: no reader is blamed for that."""
        if doubts.taken or await self._issues_taken_before(doubts):
            return
        for one in doubts.take_all():
            self.supply.troubled(one.delivery)
            self._decide(one, DeliveryState.QUEUED)
        await self.ledger.flush()
        self.supply.refill()

    async def conclude(self, doubts: Doubts) -> str:
        """Decide what is in doubt still when nothing is left to send; return the trouble with the relay."""
        if not doubts.open:
            return ""
        await self.ledger.flush()
        trouble = doubts.trouble(next(iter(doubts.open.values())).outcome)
        readers, states = len(doubts.open), Counter[DeliveryState]()
        taken_before = set() if doubts.in_trouble else await self._issues_taken_before(doubts)
        for one in doubts.take_all():
            state = DeliveryState.DEFERRED
            if not doubts.in_trouble:
                before, taken = one.delivery.issue_key in taken_before, doubts.taken > 0
                state = at_the_end(doubts.doubt(one), readers=readers, taken=taken, taken_before=before)
            states[state] += 1
            self._decide(one, state)
        if states[DeliveryState.DEFERRED]:
            count = states[DeliveryState.DEFERRED]
            log.warning("refusals_in_doubt", relay=doubts.relay, count=count, reason=trouble)
        return trouble if states[DeliveryState.QUEUED] else ""

    async def give_back(self, delivery: Delivery, trouble: str, *, is_relays: bool = False) -> None:
        """Record that a delivery which was begun met with trouble that is not its reader's.

        It is queued again, to be tried when all others have been. The second time, if others did go through, it
        seems to be alone in its trouble and is deferred, unless `is_relays`: the relay is known to refuse all.
        """
        if self.supply.troubled(delivery) or is_relays or not self.tally.states[DeliveryState.SENT]:
            self.given_back.add(delivery.key)
            self.ledger.note(self._queued(delivery, trouble))
            await self.ledger.flush()
            self.supply.done(delivery, refill=True)
        else:
            self.settle(delivery, Outcome(state=DeliveryState.DEFERRED, text=trouble))

    def _settled(self, delivery: Delivery, outcome: Outcome) -> Change:
        return settled(delivery, outcome, self.rules.clock(), self.rules.retry, self.rules.jitter())

    def _settle(self, delivery: Delivery, outcome: Outcome, change: Change, *more: Change) -> None:
        self.ledger.note(change, *more)
        self.given_back.discard(delivery.key)
        self.tally.settled(delivery, outcome, change.state)
        self.supply.done(delivery, outcome)

    def _decide(self, one: InDoubt, state: DeliveryState) -> None:
        """Record what a refusal in doubt turned out to be."""
        delivery, outcome, deferred = one.delivery, one.outcome, one.deferred
        if deferred.next_attempt_at and self.rules.clock() > deferred.next_attempt_at - _MARGIN:
            state = DeliveryState.DEFERRED
        if state is DeliveryState.QUEUED:
            self.given_back.add(delivery.key)
            self.ledger.note(self._queued(delivery, outcome.text))
            return
        if state is DeliveryState.REFUSED:
            self.ledger.note(deferred._replace(state=state, at=self.rules.clock(), next_attempt_at=None))
        self.tally.settled(delivery, outcome, state)

    async def _issues_taken_before(self, doubts: Doubts) -> set[int]:
        """Return the issues of what is in doubt that somebody has been sent already."""
        keys = {one.delivery.issue_key for one in doubts.open.values()}
        return {key for key in keys if (await self.outbox.counts(key)).get(DeliveryState.SENT, 0) > 0}

    def _queued(self, delivery: Delivery, text: str) -> Change:
        """Return the step back into the queue, after those that have not been tried yet."""
        at, attempts = self.rules.clock(), delivery.attempts
        return Change(
            key=delivery.key, state=DeliveryState.QUEUED, at=at, attempts=attempts, next_attempt_at=at, text=text
        )
