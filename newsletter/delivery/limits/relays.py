"""Which of several relays a message goes to, and over which of its connections.

Relays with a weight share the work in that proportion. Those without stand by, in their order: each steps in
while all before it are in trouble. If none has a weight, the first works and the others stand by. A relay in
trouble gets one message at a time, to see whether it works again (`newsletter.delivery.limits.health`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager

from newsletter.core.errors import RelayError
from newsletter.delivery.limits.health import Health
from newsletter.delivery.limits.leased import Leasing
from newsletter.delivery.limits.pace import Pace
from newsletter.delivery.relay import Relay, rate_scope
from newsletter.delivery.smtp.experience import Joins
from newsletter.delivery.smtp.idle import IdleSessions
from newsletter.delivery.smtp.session import Session


class Lease:
    """One of a relay's connections in one user's hands. Its session is open already, or opened by the user."""

    def __init__(self, relay: RelayState, session: Session | None) -> None:
        self._relay = relay
        self.session = session

    @property
    def is_usable(self) -> bool:
        """Return whether there is a session that takes another message."""
        return self.session is not None and not self.session.spent

    async def open(self, sender: str) -> Session:
        """Open a session and return it; `sender` and what is raised are those of `Relay.connect`."""
        self.session = await self._relay.smtp.connect(sender=sender)
        return self.session

    async def close_session(self) -> None:
        """Close the session; the connection stays in the user's hands."""
        session, self.session = self.session, None
        if session:
            await session.close()

    async def end(self, *, keep: bool) -> None:
        """Leave the connection to its next user.

        Args:
            keep: leaves the session open for some seconds, if it and the relay are good; else it is closed.
        """
        session, self.session = self.session, None
        try:
            if session and not (keep and self._relay.is_good and self._relay.idle.keep(session)):
                await session.close()
        finally:
            self._relay.connections.release()


class RelayState:
    """What a process knows of one relay, and shares among all chunks: health, pace, connections, idle sessions.

    `connections` limits the sessions that are open: one for each lease, or one idle session in its place. A chunk
    that has sent its share over a session while another issue waits, or has nothing to send now, leaves the
    connection to the chunk that has waited longest, so that a small issue goes out beside a big one. Chunks of one
    issue go out one after the other: the next begins while the one before ends. `served` counts the messages that
    the relay has been given, against its weight.
    """

    def __init__(
        self, smtp: Relay, weight: int, pace: Pace, *, pauses: Sequence[float], idle_seconds: float
    ) -> None:
        self.smtp = smtp
        self.health = Health(smtp.name, pauses)
        self.quota = smtp.quota
        self.is_out_of_quota = False  # found out by a chunk, and so until the next one begins
        self.pace = pace
        self.weight = weight
        self.served = 0
        self.connections = asyncio.Semaphore(smtp.connections)
        self.idle = IdleSessions(idle_seconds)
        self._queueing = Counter[int]()  # by issue

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        return self.smtp.name

    @property
    def joins(self) -> Joins:
        """Return what is known of how the relay takes joined envelopes."""
        return self.smtp.joins

    @property
    def share(self) -> float:
        """Return how much of the work the relay has had, in messages for each unit of its weight."""
        return self.served / self.weight

    @property
    def is_good(self) -> bool:
        """Return whether the relay is not known to be in trouble, nor its quota to be used up."""
        return self.health.is_good and not self.is_out_of_quota

    @property
    def given_up(self) -> bool:
        """Return whether the relay is not to be tried again for now."""
        return self.health.given_up

    @property
    def is_wanted(self) -> bool:
        """Return whether somebody waits for a connection."""
        return self._queueing.total() > 0

    def is_wanted_beside(self, issue_key: int) -> bool:
        """Return whether somebody waits for a connection to deliver another issue."""
        return self._queueing.total() > self._queueing[issue_key]

    async def lease(self, issue_key: int) -> Lease:
        """Return a connection to deliver an issue, as soon as one is free.

        It has the session that its last user left open, if there is one.
        """
        self._queueing[issue_key] += 1
        try:
            await self.connections.acquire()
        finally:
            self._queueing[issue_key] -= 1
            self._queueing += Counter()  # forget who waits no more
        if not self.is_good:
            self.idle.drop()  # what works is found out with a new session
        return Lease(self, self.idle.take())

    async def reserve(self) -> bool:
        """Reserve a place in the relay's quota, if it has one; return whether there was any."""
        if self.quota is None or await self.quota.reserve():
            return True
        self.is_out_of_quota = True
        return False

    def give_back(self) -> None:
        """Give back a place in the quota that no mail needed after all."""
        if self.quota:
            self.quota.give_back()

    def attempt(self) -> AbstractAsyncContextManager[int]:
        """Wait until a new session may be tried; see `Health.attempt`."""
        return self.health.attempt()

    def failed(self, error: RelayError, attempt: int) -> None:
        """Note trouble with a session; see `Health.failed`."""
        self.health.failed(error, attempt)

    def worked(self) -> None:
        """Note that the relay has answered for a message."""
        self.health.worked()

    def begin_chunk(self) -> None:
        """Try the relay again if it was given up, and count anew what it is given."""
        self.served = 0
        self.is_out_of_quota = self.quota is not None and self.quota.is_used_up
        self.health.begin_chunk()


class Relays:
    """All relays of a process."""

    def __init__(
        self,
        relays: Sequence[Relay],
        leasing: Leasing | None = None,
        *,
        pauses: Sequence[float],
        idle_seconds: float,
    ) -> None:
        """Begin in good health.

        Args:
            relays: in the order in which they stand by.
            leasing: keeps their rates together with all other processes; None: each rate is this process's own.
            pauses: seconds before each new attempt at a relay in trouble; after the last it is given up.
            idle_seconds: how long a session stays open when nobody uses it.
        """
        weights = [relay.weight for relay in relays]
        if not any(weights):
            weights[:1] = [1]
        self.members = [
            RelayState(relay, weight, _pace(relay, leasing), pauses=pauses, idle_seconds=idle_seconds)
            for relay, weight in zip(relays, weights, strict=True)
        ]
        self._chunks = 0
        self._working = [relay for relay in self.members if relay.weight]
        self._standing_by = [relay for relay in self.members if not relay.weight]

    @contextmanager
    def chunk(self) -> Iterator[None]:
        """Work for one chunk; the first of those at the same time begins anew with all relays."""
        if not self._chunks:
            for relay in self.members:
                relay.begin_chunk()
        self._chunks += 1
        try:
            yield
        finally:
            self._chunks -= 1

    def may_work(self, relay: RelayState) -> bool:
        """Return whether a relay may take a message now, as far as the others are concerned."""
        if len(self.members) == 1:
            return True
        if relay.weight:
            others = [other for other in self._working if other.is_good and other is not relay]
            # As far ahead of the others as they have connections: they may all be in the middle of a message.
            return all(relay.share <= other.share + other.smtp.connections for other in others)
        before = self._standing_by[: self._standing_by.index(relay)]
        return not any(other.is_good for other in (*self._working, *before))

    @property
    def any_good(self) -> bool:
        """Return whether there is a relay that isn't known to be in trouble."""
        return any(relay.is_good for relay in self.members)

    @property
    def trouble(self) -> str:
        """Return what the trouble is with a relay that was given up, or nothing."""
        return next((relay.health.trouble for relay in self.members if relay.given_up), "")

    @property
    def waiting(self) -> str:
        """Return why no relay may be handed anything for now though none is in trouble, or nothing."""
        if not all(relay.given_up or relay.is_out_of_quota for relay in self.members):
            return ""
        return "; ".join(one.quota.in_words for one in self.members if one.quota and one.is_out_of_quota)

    async def close(self) -> None:
        """Close all idle sessions."""
        await asyncio.gather(*(relay.idle.close() for relay in self.members))

    async def give_back(self) -> None:
        """Give back what is counted of quotas and not used; whoever needs more counts it again."""
        for relay in self.members:
            if relay.quota:
                await relay.quota.end()


def _pace(relay: Relay, leasing: Leasing | None) -> Pace:
    return leasing.pace(rate_scope(relay), relay.rate) if leasing else Pace(relay.rate)
