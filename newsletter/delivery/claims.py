"""The deliveries of one chunk: claimed from the outbox in batches, given to connections one by one.

========  =====================================================  ================================================
state     meaning                                                what comes next
========  =====================================================  ================================================
ready     claimed, and next in its turn                          taken; or waiting, if its domain takes no more
waiting   claimed; its domain can't take it now                  taken, when the domain can
last      claimed again after it met with trouble                ready, when everything else has been tried
taken     a connection has it                                    `put_back`: ready again; `done`: it is settled, or
                                                                 in the outbox again, from where it may be claimed
set by    claimed again after it ended uncertain                 none: the chunk leaves it alone, whatever the
                                                                 outbox offers under `resend`
========  =====================================================  ================================================

The chunk is *exhausted* when nothing is taken, ready or last, when no more can be claimed (the outbox is *dry*,
the chunk has its number, or too many deliveries wait), and all that waits would wait for too long. It *rests*
while it has nothing but waiting deliveries whose time has not come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterable
from math import inf

from newsletter.core.address import domain_of
from newsletter.core.delivery import Delivery, Outcome
from newsletter.delivery.changed import Changed
from newsletter.delivery.limits.domain_queue import DomainQueue
from newsletter.delivery.limits.domains import DomainLimits
from newsletter.ports import ClaimedDeliveries, Clock

_FIRST_CLAIM = 50
_MOST_WAITING = 50_000  # deliveries whose domains can't take them now; some 500 bytes each
_A_WHILE = 0.2  # seconds for which a connection waits before it looks whether another chunk needs it
_SHORT, _LONG = 1.0, 4.0  # seconds from one claim to the next


class Claims:
    """What a chunk has claimed of one issue.

    Whoever takes a delivery says what became of it: `put_back` or `done`. Until then others wait, for it may fall
    to them.
    """

    def __init__(
        self,
        outbox: ClaimedDeliveries,
        worker: str,
        issue_key: int,
        *,
        changed: Changed,
        limits: DomainLimits,
        clock: Clock,
        batch: int,
        most: int | None,
    ) -> None:
        """Begin; nothing is claimed yet.

        Args:
            outbox: where deliveries are claimed.
            worker: for whom.
            issue_key: of which issue.
            changed: is notified when there is more to take, or nothing will be.
            limits: knows how much each domain can take.
            clock: says what is due.
            batch: how many deliveries are claimed in one transaction at most.
            most: how many deliveries are claimed in all, without those that go back; None: all that are due.
        """
        self._outbox, self._worker, self.issue_key = outbox, worker, issue_key
        self._changed = changed
        self._limits, self._clock = limits, clock
        self._batch = batch
        self._may_claim = inf if most is None else most
        self._ready, self._last, self._waiting = deque[Delivery](), deque[Delivery](), DomainQueue(limits)
        self._troubled, self._uncertain, self._set_by = set[int](), set[int](), set[int]()
        self._taken: dict[int, str] = {}  # the domains of deliveries that connections have
        self._stopped = self._dry = False  # dry: the outbox had nothing more when it was asked last
        self._refills = 0  # times that something went back to it
        self._claiming: asyncio.Task[None] | None = None
        self._is_claiming = False
        self._size = min(batch, _FIRST_CLAIM)
        self._claimed_at = 0.0  # in the loop's time
        self._latest = clock()
        self.from_the_end = False  # the relay refuses readers: the next are taken from the end, who may be others

    async def take(self) -> Delivery | None:
        """Return the next delivery; None: nothing more is due, the chunk stops, or it rests."""
        while not self._stopped and not self.is_exhausted:
            if delivery := self.take_now():
                return delivery
            if self._can_claim:
                await asyncio.shield(self._claim_more())
            elif self._last:
                self._ready, self._last = self._last, self._ready
            else:
                await self._changed.wait(self._until_next_look)
                if self.rests:
                    return None
        return None

    def take_now(self) -> Delivery | None:
        """Return the next delivery, if there is one that needs no waiting."""
        delivery = None if self._stopped else self._next()
        # Before the connections have nothing to do. What is cheapest to find out is asked first.
        if delivery and not self._is_claiming and len(self._ready) < self._size and self._can_claim:
            self._claim_more()
        return delivery

    def put_back(self, delivery: Delivery) -> None:
        """Take back a delivery that was not begun: it is the next."""
        if self.from_the_end:
            self._ready.append(delivery)
        else:
            self._ready.appendleft(delivery)
        self.done(delivery)

    def done(self, delivery: Delivery, outcome: Outcome | None = None) -> None:
        """Note that no connection has a delivery any more; `outcome` says what became of it, if it was sent."""
        domain = self._taken.pop(delivery.key)
        self._limits.answered(domain, outcome)
        if domain in self._waiting.domains:
            self._waiting.look_now(domain)
        self._changed.notify()

    def withdrawn(self, delivery: Delivery) -> None:
        """Note that a delivery which was taken is not to be made; another one may be claimed in its place."""
        self._may_claim += 1
        self.done(delivery)

    def refill(self, deliveries: int) -> None:
        """Note how many deliveries went back to the outbox; they may be claimed again."""
        self._may_claim += deliveries
        self._dry, self._refills = False, self._refills + 1
        self._changed.notify()

    def met_trouble(self, delivery: Delivery) -> bool:
        """Note that a delivery met with trouble; return whether it is the first time in this chunk."""
        is_first = delivery.key not in self._troubled
        self._troubled.add(delivery.key)
        return is_first

    def ended_uncertain(self, delivery: Delivery) -> None:
        """Note that a delivery is not to be tried again in this chunk, whatever the outbox offers."""
        self._uncertain.add(delivery.key)

    def stop(self) -> None:
        """Give out nothing more."""
        self._stopped = True
        self._changed.notify()

    async def end(self) -> Collection[int]:
        """Stop, wait until nothing is being claimed, and return the keys of what is claimed and was not begun.

        Raises:
            StoreError: the outbox could not be read.
        """
        self.stop()
        if self._claiming:
            await self._claiming
        return self.left | self._set_by

    @property
    def is_exhausted(self) -> bool:
        """Return whether nothing is left to do, and no connection has anything that could come back."""
        if self._taken or self._ready or self._last or self._can_claim:
            return False
        return self._waiting.is_hopeless

    @property
    def rests(self) -> bool:
        """Return whether all that is left waits for domains, and none of them is free now."""
        if self._ready or self._last or self._can_claim:
            return False
        at = self._waiting.look_at
        return at is not None and at > asyncio.get_running_loop().time()

    @property
    def upcoming(self) -> Iterable[Delivery]:
        """Return what is ready, in the order in which it will be taken if nothing comes between."""
        return self._ready

    @property
    def left(self) -> set[int]:
        """Return the keys of claimed deliveries that have not been begun; those that ended uncertain have."""
        return {delivery.key for queue in (self._ready, self._last, self._waiting) for delivery in queue}

    @property
    def _can_claim(self) -> bool:
        """Return whether the outbox may have more for this chunk, and not too many deliveries wait already."""
        return not self._dry and self._may_claim > 0 and len(self._waiting) < _MOST_WAITING

    @property
    def _until_next_look(self) -> float | None:
        """Return for how many seconds to wait until a domain may be free; None: it isn't a question of time."""
        at = self._waiting.look_at
        return None if at is None else min(at - asyncio.get_running_loop().time(), _A_WHILE)

    def _next(self) -> Delivery | None:
        """Return the first delivery whose domain can take it; those before it wait."""
        if self._waiting.domains and (delivery := self._waiting.pop()):
            self._taken[delivery.key] = domain_of(delivery.subscriber.email)
            return delivery
        while self._ready:
            delivery = self._ready.pop() if self.from_the_end else self._ready.popleft()
            domain = domain_of(delivery.subscriber.email)
            if domain not in self._waiting.domains and self._limits.admit(domain):
                self._taken[delivery.key] = domain
                return delivery
            self._waiting.add(domain, delivery)
        return None

    def _claim_more(self) -> asyncio.Task[None]:
        """Return the claim that is going on, or a new one. A claim that failed is the last: all who ask get it."""
        if self._claiming is None or (self._claiming.done() and not self._claiming.exception()):
            self._is_claiming = True
            self._claiming = asyncio.create_task(self._claim())
            self._claiming.add_done_callback(self._claimed)
        return self._claiming

    def _adapt(self) -> None:
        """Claim what is sent within some seconds: a reader who leaves later than that gets no more mail."""
        now = asyncio.get_running_loop().time()
        if self._claimed_at and now - self._claimed_at < _SHORT:
            self._size = min(2 * self._size, self._batch)
        elif self._claimed_at and now - self._claimed_at > _LONG:
            self._size = max(self._size // 2, 1)
        self._claimed_at = now

    async def _claim(self) -> None:
        self._adapt()
        refills = self._refills
        # If the clock is set back meanwhile, what was due when the chunk began still is.
        self._latest = max(self._latest, self._clock())
        limit = int(min(self._size, self._may_claim))
        claimed = await self._outbox.claim(self._worker, now=self._latest, limit=limit, issue_key=self.issue_key)
        self._dry = not claimed and refills == self._refills
        self._may_claim -= len(claimed)
        for delivery in claimed:
            if delivery.key in self._uncertain:
                self._set_by.add(delivery.key)
                self._may_claim += 1
            elif delivery.key in self._troubled:
                self._last.append(delivery)
            else:
                self._ready.append(delivery)
        self._changed.notify()

    def _claimed(self, claiming: asyncio.Task[None]) -> None:
        """Note that a claim has ended.

        If it failed, asyncio would log that as never retrieved: nobody may be left to ask for more when it ends.
        """
        self._is_claiming = False
        if not claiming.cancelled():
            claiming.exception()
