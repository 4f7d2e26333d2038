"""One of a relay's connections at work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError
from newsletter.delivery.chunk import Chunk, InHand
from newsletter.delivery.limits.doubts import Doubts
from newsletter.delivery.limits.relays import Lease, Relays, RelayState
from newsletter.delivery.smtp.session import Feed, Going, Letter, Session, SessionOverError, WithdrawnError

_NO = Going.NO  # looked up once: each message needs it
_LAST_SECOND = 1.0  # in which a connection that is cut off records what became of its message


class Connection(Feed):
    """Takes deliveries, begins them, hands them over and settles them, one by one, over one session at a time."""

    def __init__(self, chunk: Chunk, relays: Relays, relay: RelayState, doubts: Doubts) -> None:
        self._chunk = chunk
        self._relays = relays
        self._relay = relay
        self._doubts = doubts
        self._lease: Lease | None = None
        self._in_hand: InHand | None = None
        self._next: InHand | None = None
        self._attempt = 0  # what the relay wants to know of a session that failed
        self._is_queueing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> asyncio.Task[None]:
        """Deliver until nothing more is due, the relay is given up, or the chunk stops."""
        self._task = asyncio.create_task(self._work())
        return self._task

    def wait_no_longer(self) -> None:
        """End, if others have all connections of the relay."""
        if self._is_queueing and self._task:
            self._task.cancel()

    async def cut_off(self) -> None:
        """End soon: a message that is on its way is cut off, and what became of it recorded."""
        if self._task is None or self._task.done():
            return
        if self._lease and self._lease.session:
            await self._lease.session.close()
        else:
            self._task.cancel()
        _, late = await asyncio.wait([self._task], timeout=_LAST_SECOND)
        for task in late:
            task.cancel()

    async def _work(self) -> None:
        is_well = False
        try:
            while not (self._chunk.is_over or self._is_through):
                if not self._next and not self._relays.may_work(self._relay):
                    await self._chunk.changed.wait()
                elif self._lease is None or not self._lease.is_usable or self._is_in_the_way:
                    await self._end_share()
                    await self._begin_anew()
                elif self._lease.session:
                    await self._deliver_next(self._lease.session)
            is_well = not self._chunk.stopped
        except Exception:
            self._chunk.stop()
            raise
        finally:
            await self._end_lease(keep=is_well)
            await self._let_go()

    @property
    def _is_through(self) -> bool:
        """Return whether the relay takes nothing more for now, but what has its place in the quota already."""
        return self._relay.given_up or (self._relay.is_out_of_quota and self._next is None)

    @property
    def _is_in_the_way(self) -> bool:
        """Return whether another chunk could use the connection while this one has nothing to send now."""
        return self._relay.is_wanted and not self._next and self._chunk.claims.rests

    async def _end_share(self) -> None:
        """Leave the connection to others; or, if only chunks of this issue want it, end its session alone."""
        lease, relay = self._lease, self._relay
        is_spent = lease is not None and lease.session is not None and lease.session.spent
        if lease and is_spent and relay.is_good and not relay.is_wanted_beside(self._chunk.claims.issue_key):
            await lease.close_session()
        else:
            await self._end_lease(keep=True)

    async def _begin_anew(self) -> None:
        """Wait for a connection; if it has no session, open one and deliver one message, as the health allows.

        Who may have to wait for others leaves them what it has in hand: they may wait for that.
        """
        if self._lease is None:
            if self._relay.connections.locked():
                await self._let_go()
            self._is_queueing = True
            self._lease = await self._relay.lease(self._chunk.claims.issue_key)
            self._is_queueing = False
        if self._lease.session:
            self._attempt = 0
            return
        if not self._relay.health.is_good:
            await self._let_go()
        async with self._relay.attempt() as self._attempt:
            await self._chunk.wait(self._relay.health.pause)
            if self._chunk.is_over or self._relay.given_up:
                return
            # A delivery isn't kept waiting for a relay in trouble while another could take it.
            if self._relay.is_good or not self._relays.any_good:
                self._next = self._next or await self._take()
                if self._next is None or self._relay.given_up:  # by another connection meanwhile
                    return
            try:
                session = await self._lease.open(self._next.letter.sender if self._next else "")
            except RelayError as error:
                self._relay.failed(error, self._attempt)
                await self._let_go()
            else:
                await self._deliver_next(session)
            self._chunk.changed.notify()  # it may be another relay's turn

    async def _deliver_next(self, session: Session) -> None:
        """Take one delivery, begin it, hand it over, and settle it."""
        await self._chunk.turns.take()
        in_hand = self._next or await self._take()
        self._next = None
        if in_hand is None:
            return
        if in_hand.begun or await self._chunk.settlement.begin(in_hand.delivery):
            self._relay.served += 1
            await self._hand_over(in_hand, session)
        else:
            self._relay.give_back()
            await self._end_lease(keep=False)  # it may have been announced

    async def _take(self) -> InHand | None:
        return await self._chunk.take(self._relay, self._doubts)

    async def _hand_over(self, in_hand: InHand, session: Session) -> None:
        """Send a message whose intent is recorded, and record the outcome; `go_on` may make others of it."""
        self._in_hand = in_hand
        try:
            following = self.look_ahead() if session.looks_ahead else None
            outcome = await session.hand_over(in_hand.letter, following, self)
        except WithdrawnError:
            self._relay.served -= 1
            self._relay.give_back()
            await self._end_lease(keep=False)
            await self._let_go()
        except SessionOverError:
            in_hand = self._in_hand
            await self._end_lease(keep=False)
            await self._let_go()
            self._next = in_hand._replace(begun=True)
        except RelayError as error:
            in_hand = self._in_hand
            await self._failed(error)
            await self._chunk.settlement.give_back(in_hand.delivery, str(error))
        else:
            in_hand, settlement, doubts = self._in_hand, self._chunk.settlement, self._doubts
            await settlement.settle(in_hand.delivery, outcome, doubts, in_hand.known, self._failed)
            if outcome.state is not DeliveryState.UNCERTAIN and not (outcome.doubt or doubts.in_trouble):
                self._relay.worked()

    @override
    def look_ahead(self) -> Letter | None:
        if self._relays.may_work(self._relay):
            self._next = self._chunk.take_now(self._relay, self._doubts)
        return self._next.letter if self._next else None

    @override
    def go_on(self, outcome: Outcome, begun: Callable[[BaseException | None], None]) -> Going:
        chunk, relay, sent, following = self._chunk, self._relay, self._in_hand, self._next
        if sent is None or following is None or chunk.stopped or (relay.health.failures and relay.given_up):
            return _NO
        if not chunk.turns.take_at_once():
            return _NO
        going = chunk.settlement.go_on(sent.delivery, outcome, self._doubts, sent.known, following.delivery, begun)
        if going is not _NO:
            if relay.health.failures:
                relay.worked()
            relay.served += 1
            self._in_hand, self._next = following, None
        return going

    async def _failed(self, error: RelayError) -> None:
        self._relay.failed(error, self._attempt)
        await self._end_lease(keep=False)
        await self._let_go()

    async def _end_lease(self, *, keep: bool) -> None:
        lease, self._lease = self._lease, None
        if lease:
            await lease.end(keep=keep)

    async def _let_go(self) -> None:
        """Leave what would be next to others, or to another chunk."""
        in_hand, self._next = self._next, None
        if in_hand:
            if not in_hand.begun:
                self._relay.give_back()
            await self._chunk.let_go(in_hand, f"{self._relay.name} ended the session")
