"""What becomes of deliveries: decided by the core, noted, counted, and made known to the claims."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial

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
from newsletter.core.errors import RelayError
from newsletter.core.refusals import at_the_end
from newsletter.delivery.claims import Claims
from newsletter.delivery.limits.doubts import Doubts, InDoubt
from newsletter.delivery.record.notes import Notes
from newsletter.delivery.smtp.session import Going, WithdrawnError
from newsletter.delivery.tally import Tally
from newsletter.ports import ClaimedDeliveries, Clock

log = structlog.get_logger(__name__)

# A deferred delivery may be another worker's when its time comes; shortly before, it isn't changed any more.
_MARGIN_SECONDS = 10.0
_NOW = Going.NOW  # looked up once: each message needs it


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How to go on when something doesn't go through at once, or ends. Times are in seconds.

    `jitter` gives random numbers in [0, 1). `pauses` stand before each new attempt at a relay in trouble; after
    the last it is given up. Messages in flight have `grace` when a chunk is to stop. A session stays open for
    `idle` without a message. At most `each_turn` messages leave in a turn of the event loop (`delivery.turns`).
    `cores` is how many are this process's; 0: all.
    """

    retry: RetryPolicy
    uncertain: Uncertain
    clock: Clock
    jitter: Callable[[], float]
    pauses: Sequence[float] = (1.0, 2.0, 4.0)
    grace: float = 6.0
    idle: float = 10.0
    each_turn: int = 0
    cores: int = 0


@dataclass(slots=True, kw_only=True)
class Settlement:
    """Begins and settles the deliveries of one chunk. `given_back` are those that are in the outbox again."""

    outbox: ClaimedDeliveries
    claims: Claims
    notes: Notes
    rules: Rules
    tally: Tally
    given_back: set[int] = field(default_factory=set)

    @property
    def returned(self) -> int:
        """Return how many deliveries were claimed and are open still."""
        return len(self.given_back | self.claims.left)

    async def begin(self, delivery: Delivery) -> bool:
        """Record the intent, durable when this returns; return whether the message may be sent.

        It may not if the delivery was withdrawn after it had been claimed.
        """
        left_out = await self.notes.write(begun(delivery, self.rules.clock()))
        if delivery.key in left_out:
            self._withdrawn(delivery)
            return False
        return True

    async def settle(
        self,
        delivery: Delivery,
        outcome: Outcome,
        doubts: Doubts,
        known: int,
        failed: Callable[[RelayError], Awaitable[None]],
    ) -> None:
        """Record the outcome of a message, and what it says of other readers' refusals.

        Args:
            delivery: which was begun.
            outcome: what became of it.
            doubts: the relay's refusals in doubt.
            known: how many refusals had been noted there when the delivery was taken.
            failed: called with the trouble if the relay is in trouble, before anything goes back to the outbox.
        """
        if outcome.state is DeliveryState.UNCERTAIN:
            await self._settle_uncertain(delivery, outcome)
            await failed(RelayError(f"{doubts.relay} was {outcome.text}"))
        elif outcome.doubt and doubts.in_trouble:  # it was a try whether the relay takes anything by now
            trouble = doubts.trouble(outcome)
            await failed(RelayError(trouble))
            await self.give_back(delivery, trouble, is_relays=True)
        elif outcome.doubt:
            if self._set_aside(delivery, outcome, doubts):
                await failed(RelayError(doubts.trouble(outcome)))
                await self._queue_again(doubts)
        else:
            self._settle(delivery, outcome, self._settled(delivery, outcome))
            if outcome.state is DeliveryState.SENT and (refused := doubts.went_through(delivery, known)):
                self._refuse(refused, doubts)

    def go_on(
        self,
        delivery: Delivery,
        outcome: Outcome,
        doubts: Doubts,
        known: int,
        following: Delivery,
        then: Callable[[BaseException | None], None],
    ) -> Going:
        """Record that a message was sent and another is begun; if the answer is "no", nothing was recorded.

        Args:
            delivery: which was sent.
            outcome: what the relay said.
            doubts: the relay's refusals in doubt.
            known: how many refusals had been noted there when `delivery` was taken.
            following: the delivery that is begun.
            then: is called if the answer is "later", when that is recorded: with `WithdrawnError`, or
                with what went wrong, if it may not be sent.
        """
        now, rules = self.rules.clock(), self.rules
        sent = settled(delivery, outcome, now, rules.retry, 0.0)
        changes = sent, begun(following, now)
        going = _NOW
        if not self.notes.write_at_once(*changes):
            writing = self.notes.write_soon(*changes)
            if writing is None:
                return Going.NO
            writing.add_done_callback(partial(self._is_begun, following, then))
            going = Going.LATER
        self._count(delivery, outcome, sent.state)
        if refused := doubts.went_through(delivery, known):
            self._refuse(refused, doubts)
        return going

    def _is_begun(
        self,
        delivery: Delivery,
        then: Callable[[BaseException | None], None],
        written: asyncio.Future[Collection[int]],
    ) -> None:
        """Tell whether a delivery may be sent whose intent should be written by now."""
        error = written.exception()
        if error is None and delivery.key in written.result():
            self._withdrawn(delivery)
            then(WithdrawnError(f"delivery {delivery.key} was withdrawn"))
        else:
            then(error)

    def _withdrawn(self, delivery: Delivery) -> None:
        log.info("delivery_withdrawn", delivery=delivery.key)
        self.claims.withdrawn(delivery)

    async def give_back(self, delivery: Delivery, trouble: str, *, is_relays: bool = False) -> None:
        """Record that a delivery which was begun met with trouble that is not its reader's.

        It is queued again, to be tried when all others have been. The second time, if others did go through, it
        seems to be alone in its trouble and is deferred, unless `is_relays`: it is known to be the relay's.
        """
        if self.claims.met_trouble(delivery) or is_relays or not self.tally.states[DeliveryState.SENT]:
            self.given_back.add(delivery.key)
            self.notes.note(self._queued(delivery, trouble))
            await self.notes.flush()
            self.claims.refill(1)
            self.claims.done(delivery)
        else:
            outcome = Outcome(state=DeliveryState.DEFERRED, text=trouble)
            self._settle(delivery, outcome, self._settled(delivery, outcome))

    async def conclude(self, doubts: Doubts) -> str:
        """Decide what is in doubt still when nothing is left to send; return the trouble with the relay."""
        if not doubts.open:
            return ""
        await self.notes.flush()
        trouble = doubts.trouble(next(iter(doubts.open.values())).outcome)
        readers, states = len(doubts.open), Counter[DeliveryState]()
        taken, taken_before = doubts.taken > 0, not doubts.in_trouble and await self._was_taken_before()
        for in_doubt in doubts.take_all():
            state = DeliveryState.DEFERRED
            if not doubts.in_trouble:
                doubt = doubts.doubt(in_doubt)
                state = at_the_end(doubt, readers=readers, taken=taken, taken_before=taken_before)
            states[state] += 1
            self._decide(in_doubt, state)
        if count := states[DeliveryState.DEFERRED]:
            log.warning("refusals_in_doubt", relay=doubts.relay, count=count, reason=trouble)
        return trouble if states[DeliveryState.QUEUED] else ""

    async def _settle_uncertain(self, delivery: Delivery, outcome: Outcome) -> None:
        """Record that nobody knows whether the reader has the message; under `resend` it is sent again later."""
        self.claims.ended_uncertain(delivery)
        change, again = self._settled(delivery, outcome), None
        if self.rules.uncertain is Uncertain.RESEND:
            times = 1 + await self.outbox.times(delivery.key, DeliveryState.UNCERTAIN)
            again = resent(delivery, change, times, self.rules.retry, self.rules.jitter())
            if again is None:
                log.warning("delivery_left_uncertain", delivery=delivery.key, times=times, reason=outcome.text)
        self._settle(delivery, outcome, *filter(None, (change, again)))

    def _set_aside(self, delivery: Delivery, outcome: Outcome, doubts: Doubts) -> bool:
        """Record a refusal in doubt, as a deferral for now; return whether the relay is in trouble with us."""
        change = self._settled(delivery, outcome._replace(state=DeliveryState.DEFERRED))
        if change.state is not DeliveryState.DEFERRED:  # it was its last attempt
            self._settle(delivery, outcome, change)
            return False
        self.notes.note(change)
        self.given_back.discard(delivery.key)
        self.claims.from_the_end = True
        self.claims.done(delivery, outcome)
        return doubts.note(delivery, outcome, change)

    def _refuse(self, found: Sequence[InDoubt], doubts: Doubts) -> None:
        """Record that deliveries were refused for their readers: others' messages go through."""
        for in_doubt in found:
            self._decide(in_doubt, DeliveryState.REFUSED)
        self.claims.from_the_end = bool(doubts.open)

    async def _queue_again(self, doubts: Doubts) -> None:
        """Give back what is in doubt if the relay takes nothing from us at all, whoever the reader is."""
        if doubts.taken or await self._was_taken_before():
            return
        queued = 0
        for in_doubt in doubts.take_all():
            self.claims.met_trouble(in_doubt.delivery)
            queued += self._decide(in_doubt, DeliveryState.QUEUED) is DeliveryState.QUEUED
        await self.notes.flush()
        self.claims.refill(queued)

    def _settled(self, delivery: Delivery, outcome: Outcome) -> Change:
        return settled(delivery, outcome, self.rules.clock(), self.rules.retry, self.rules.jitter())

    def _settle(self, delivery: Delivery, outcome: Outcome, change: Change, *more: Change) -> None:
        self.notes.note(change, *more)
        self._count(delivery, outcome, change.state)

    def _count(self, delivery: Delivery, outcome: Outcome, state: DeliveryState) -> None:
        self.given_back.discard(delivery.key)
        self.tally.settled(outcome, state)
        self.claims.done(delivery, outcome)

    def _decide(self, in_doubt: InDoubt, state: DeliveryState) -> DeliveryState:
        """Record what a refusal in doubt turned out to be; return the state that the delivery is in by that."""
        delivery, outcome, deferred = in_doubt.delivery, in_doubt.outcome, in_doubt.deferred
        now = self.rules.clock()
        if deferred.next_attempt_at and (deferred.next_attempt_at - now).total_seconds() < _MARGIN_SECONDS:
            state = DeliveryState.DEFERRED
        if state is DeliveryState.QUEUED:
            self.given_back.add(delivery.key)
            self.notes.note(self._queued(delivery, outcome.text))
            return state
        if state is DeliveryState.REFUSED:
            self.notes.note(deferred._replace(state=state, at=now, next_attempt_at=None))
        self.tally.settled(outcome, state)
        return state

    async def _was_taken_before(self) -> bool:
        """Return whether somebody has been sent this issue already, by this chunk or an earlier one."""
        return (await self.outbox.counts(self.claims.issue_key)).get(DeliveryState.SENT, 0) > 0

    def _queued(self, delivery: Delivery, text: str) -> Change:
        """Return the step back into the queue, after those that have not been tried yet."""
        at, attempts = self.rules.clock(), delivery.attempts
        return Change(
            key=delivery.key, state=DeliveryState.QUEUED, at=at, attempts=attempts, next_attempt_at=at, text=text
        )
