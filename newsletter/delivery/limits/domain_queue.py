"""Deliveries whose domains can't take them now."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from newsletter.core.delivery import Delivery
from newsletter.delivery.limits.domains import DomainLimits


@dataclass(slots=True)
class _Waiting:
    """The deliveries of one domain, and when to look whether it takes the next, in the loop's time."""

    look_at: float
    deliveries: deque[Delivery] = field(default_factory=deque)


class DomainQueue:
    """Deliveries that wait, by domain: it looks only at domains whose time has come, however many there are."""

    def __init__(self, limits: DomainLimits) -> None:
        self._limits = limits
        self.domains: dict[str, _Waiting] = {}
        self._looks: list[tuple[float, str]] = []  # a heap; what differs from the queue's own is out of date
        self._count = 0

    def __len__(self) -> int:
        """Return how many deliveries wait."""
        return self._count

    def __iter__(self) -> Iterator[Delivery]:
        """Go through all deliveries."""
        return (delivery for queue in self.domains.values() for delivery in queue.deliveries)

    @property
    def look_at(self) -> float | None:
        """Return when to look again, in the loop's time; None: nothing waits."""
        return self._looks[0][0] if self._looks else None

    @property
    def is_hopeless(self) -> bool:
        """Return whether all that waits would wait for longer than a chunk should last."""
        return all(map(self._limits.takes_too_long, self.domains))

    def add(self, domain: str, delivery: Delivery) -> None:
        """Let a delivery wait after those of the same domain, which can't take it now."""
        if domain not in self.domains:
            self._look(domain, _Waiting(0.0), self._limits.look_at(domain))
        self.domains[domain].deliveries.append(delivery)
        self._count += 1

    def look_now(self, domain: str) -> None:
        """Note that a domain may take more: it has answered."""
        self._look(domain, self.domains[domain], asyncio.get_running_loop().time())

    def pop(self) -> Delivery | None:
        """Return a delivery whose domain can take it by now; it counts as being sent."""
        now = asyncio.get_running_loop().time()
        while self._looks and self._looks[0][0] <= now:
            at, domain = heappop(self._looks)
            queue = self.domains.get(domain)
            if queue is None or queue.look_at != at:
                continue
            if not self._limits.admit(domain):
                self._look(domain, queue, self._limits.look_at(domain))
                continue
            return self._take(domain, queue, now)
        return None

    def _take(self, domain: str, queue: _Waiting, now: float) -> Delivery:
        delivery = queue.deliveries.popleft()
        self._count -= 1
        if queue.deliveries:
            self._look(domain, queue, now)
        else:
            del self.domains[domain]
        return delivery

    def _look(self, domain: str, queue: _Waiting, at: float) -> None:
        queue.look_at = at
        self.domains[domain] = queue
        heappush(self._looks, (at, domain))
