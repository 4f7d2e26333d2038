"""Which of several relays a message goes to.

Relays with a weight share the work in that proportion. Those without stand by, in their order: each steps in
while all before it are in trouble. If none has a weight, the first works and the others stand by. A relay in
trouble gets one message at a time, to see whether it works again (`newsletter.delivery.limits.health`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from newsletter.delivery.limits.health import Health
from newsletter.delivery.limits.pace import Pace
from newsletter.delivery.smtp.session import Pool


@dataclass(slots=True)
class Member:
    """One relay among others; `served` counts the messages that it has been given, against its weight.

    `slots` are its connections, which runs at the same time share; `queueing` for one are so many. A session that
    is spent, or rests, gives its slot to who has waited longest, so that a small issue goes out beside a big one.
    """

    pool: Pool
    health: Health
    pace: Pace
    weight: int
    slots: asyncio.Semaphore
    served: int = field(default=0)
    queueing: int = field(default=0)

    @property
    def share(self) -> float:
        """Return how much of the work the relay has had, in messages for each unit of its weight."""
        return self.served / self.weight


class Relays:
    """All relays of a dispatcher; what is known of their health outlasts a run."""

    def __init__(self, pools: Sequence[Pool], pauses: Sequence[float]) -> None:
        weights = [pool.weight for pool in pools]
        if not any(weights):
            weights[:1] = [1]
        self.members = [
            Member(pool, Health(pool.name, pauses), Pace(pool.rate), weight, asyncio.Semaphore(pool.connections))
            for pool, weight in zip(pools, weights, strict=True)
        ]
        self._runs = 0
        self._working = [member for member in self.members if member.weight]
        self._standing_by = [member for member in self.members if not member.weight]

    @contextmanager
    def run(self) -> Iterator[None]:
        """Work for one run; the first of those at the same time tries again what was given up, and counts anew."""
        if not self._runs:
            for member in self.members:
                member.served = 0
                member.health.begin_run()
        self._runs += 1
        try:
            yield
        finally:
            self._runs -= 1

    def may_work(self, member: Member) -> bool:
        """Tell whether a relay may take a message now, as far as the others are concerned."""
        if len(self.members) == 1:
            return True
        if member.weight:
            others = [other for other in self._working if other.health.is_good and other is not member]
            # As far ahead of the others as they have connections: they may all be in the middle of a message.
            return all(member.share <= other.share + other.pool.connections for other in others)
        before = self._standing_by[: self._standing_by.index(member)]
        return not any(other.health.is_good for other in (*self._working, *before))

    @property
    def any_good(self) -> bool:
        """Tell whether there is a relay that isn't known to be in trouble."""
        return any(member.health.is_good for member in self.members)

    @property
    def trouble(self) -> str:
        """Return what the trouble is with a relay that was given up, or nothing."""
        return next((member.health.trouble for member in self.members if member.health.given_up), "")
