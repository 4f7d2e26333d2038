"""The deliveries of one run: claimed in batches, handed to connections one by one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from newsletter.core.address import domain_of
from newsletter.core.delivery import Delivery, Outcome
from newsletter.delivery.changed import Bell
from newsletter.delivery.limits.domain_queue import Waiting
from newsletter.delivery.limits.domains import DomainLimits
from newsletter.ports import Clock, Outbox

_FIRST_CLAIM = 50
_MOST_WAITING = 50_000  # deliveries whose domains can't take them now; some 500 bytes each
_A_WHILE = 0.2  # seconds for which a connection waits before it looks whether another run needs it
_SHORT, _LONG = 1.0, 4.0  # seconds from one claim to the next


class Supply:
    """What is due, for the connections of one worker.

    A delivery that met with trouble comes back last, when all others have been tried; one that ended uncertain
    doesn't come back within the run, although under `resend` the outbox offers it at once. Whoever takes a
    delivery says what became of it: `put_back` or `done`. Until then others wait, for it may fall to them.
    Deliveries to a domain that can't take more now wait, and others go first.
    """

    def __init__(
        self,
        outbox: Outbox,
        worker: str,
        bell: Bell,
        limits: DomainLimits,
        *,
        clock: Clock,
        batch: int,
        issue_key: int | None,
    ) -> None:
        """Begin; nothing is claimed yet.

        Args:
            outbox: where deliveries are claimed.
            worker: for whom.
            bell: is rung when there is more to take, or nothing will be.
            limits: knows how much each domain can take.
            clock: tells what is due.
            batch: how many deliveries are claimed in one transaction at most.
            issue_key: narrows to one issue.
        """
        self._outbox = outbox
        self._worker = worker
        self._bell = bell
        self._limits = limits
        self._clock = clock
        self._batch = batch
        self._issue_key = issue_key
        self._ready, self._last = deque[Delivery](), deque[Delivery]()
        self._waiting = Waiting(limits)
        self._troubled, self._over = set[int](), set[int]()
        self._taken: dict[int, str] = {}  # the domains of deliveries that somebody holds
        self._stopped = self._dry = False  # dry: the outbox had nothing more when it was asked last
        self._refills = 0  # times that something went back to it
        self._claiming: asyncio.Task[None] | None = None
        self._size = min(batch, _FIRST_CLAIM)
        self._claimed_at = 0.0  # in the loop's time
        self._latest = clock()
        self.probes = False  # the relay refuses readers: the next are taken from the end, who may be others

    async def take(self) -> Delivery | None:
        """Return the next delivery, or None when nothing more is due, the run stops, or it rests for a while."""
        while not self._stopped and not self.is_exhausted:
            if delivery := self.take_now():
                return delivery
            if not self._dry and self._has_room:
                await asyncio.shield(self._claim_more())
            elif self._last:
                self._ready, self._last = self._last, self._ready
            else:
                await self._bell.wait(self._until_next_look)
                if self.rests:
                    return None
        return None

    def take_now(self) -> Delivery | None:
        """Return the next delivery if one is at hand."""
        delivery = None if self._stopped else self._next()
        if delivery and len(self._ready) < self._size and not self._dry and self._has_room:
            self._claim_more()  # before the connections have nothing to do
        return delivery

    def put_back(self, delivery: Delivery) -> None:
        """Take back a delivery that was not begun: it is the next."""
        if self.probes:
            self._ready.append(delivery)
        else:
            self._ready.appendleft(delivery)
        self._returned(delivery, None)

    def done(self, delivery: Delivery, outcome: Outcome | None = None, *, refill: bool = False) -> None:
        """Note that a delivery that was taken is settled; with `refill` it is back in the outbox."""
        if refill:
            self.refill()
        self._returned(delivery, outcome)

    def refill(self) -> None:
        """Note that something is back in the outbox."""
        self._dry, self._refills = False, self._refills + 1
        self._bell.ring()

    def troubled(self, delivery: Delivery) -> bool:
        """Note that a delivery met with trouble; tell whether it is the first time in this run."""
        first = delivery.key not in self._troubled
        self._troubled.add(delivery.key)
        return first

    def over(self, delivery: Delivery) -> None:
        """Note that a delivery is not to be tried again in this run, whatever the outbox offers."""
        self._over.add(delivery.key)

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True
        self._bell.ring()

    async def end(self) -> None:
        """Stop, and wait until nothing is being claimed.

        Raises:
            StoreError: the outbox could not be read.
        """
        self.stop()
        if self._claiming:
            await self._claiming

    @property
    def is_exhausted(self) -> bool:
        """Tell whether nothing is left to do, and nobody holds anything that could come back."""
        if self._taken or self._ready or self._last or not (self._dry or not self._has_room):
            return False
        return self._waiting.is_hopeless

    @property
    def upcoming(self) -> Iterable[Delivery]:
        """Return what is at hand, in the order in which it will be taken if nothing comes between."""
        return self._ready

    @property
    def left(self) -> set[int]:
        """Return the keys of claimed deliveries that have not been begun; those that ended uncertain have."""
        return {one.key for queue in (self._ready, self._last, self._waiting) for one in queue}

    @property
    def _has_room(self) -> bool:
        """Tell whether not too many deliveries wait for their domains already."""
        return len(self._waiting) < _MOST_WAITING

    @property
    def rests(self) -> bool:
        """Tell whether nothing can be taken until one of the domains is free for which all that is left waits."""
        if self._ready or self._last or (not self._dry and self._has_room):
            return False
        at = self._waiting.look_at
        return at is not None and at > asyncio.get_running_loop().time()

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
            delivery = self._ready.pop() if self.probes else self._ready.popleft()
            domain = domain_of(delivery.subscriber.email)
            if domain not in self._waiting.domains and self._limits.admit(domain):
                self._taken[delivery.key] = domain
                return delivery
            self._waiting.add(domain, delivery)
        return None

    def _returned(self, delivery: Delivery, outcome: Outcome | None) -> None:
        domain = self._taken.pop(delivery.key)
        self._limits.heard(domain, outcome)
        if domain in self._waiting.domains:
            self._waiting.look_now(domain)
        self._bell.ring()

    def _claim_more(self) -> asyncio.Task[None]:
        """Return the claim that is going on, or a new one; one that failed is the last, and tells all who ask."""
        if self._claiming is None or (self._claiming.done() and not self._claiming.exception()):
            self._claiming = asyncio.create_task(self._claim())
            self._claiming.add_done_callback(_hear)
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
        # If the clock is set back meanwhile, what was due when the run began still is.
        self._latest = max(self._latest, self._clock())
        claimed = await self._outbox.claim(
            self._worker, now=self._latest, limit=self._size, issue_key=self._issue_key
        )
        self._dry = not claimed and refills == self._refills
        for delivery in claimed:
            if delivery.key in self._troubled:
                self._last.append(delivery)
            elif delivery.key not in self._over:
                self._ready.append(delivery)
        self._bell.ring()


def _hear(claiming: asyncio.Task[None]) -> None:
    """Take note of a failure: nobody may be left to ask for more when it comes."""
    if not claiming.cancelled():
        claiming.exception()
