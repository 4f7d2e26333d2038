"""One of a relay's connections at work."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import structlog

from newsletter.core.delivery import Delivery, DeliveryState, Outcome
from newsletter.core.errors import RelayError, RenderError
from newsletter.delivery.chunk import Run
from newsletter.delivery.limits.doubts import Doubts
from newsletter.delivery.limits.relays import Member, Relays
from newsletter.delivery.smtp.session import Letter, Session, SessionOverError

log = structlog.get_logger(__name__)

_LAST_SECOND = 1.0  # in which a connection that is cut off records what became of its message


class _InHand(NamedTuple):
    """A delivery and its message; `begun` if the intent is recorded.

    `known` is how many refusals in doubt had been noted when it was taken up: of so many it tells something.
    """

    delivery: Delivery
    letter: Letter
    known: int
    begun: bool = False


class Connection:
    """Takes deliveries and hands them over one by one, with a new session whenever the old one is spent."""

    def __init__(self, run: Run, relays: Relays, relay: Member, doubts: Doubts) -> None:
        self._doubts = doubts
        self._run = run
        self._relays = relays
        self._relay = relay
        self._session: Session | None = None
        self._attempt = 0
        self._next: _InHand | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_slot = self._queues = False

    def start(self) -> asyncio.Task[None]:
        """Deliver until nothing more is due, the relay is given up, or the run halts."""
        self._task = asyncio.create_task(self._work())
        return self._task

    def wait_no_longer(self) -> None:
        """End, if the connection waits for others to make room for it."""
        if self._queues and self._task:
            self._task.cancel()

    async def cut_off(self) -> None:
        """End soon: a message that is on its way is cut off, and what became of it recorded."""
        if self._task is None or self._task.done():
            return
        if self._session:
            await self._session.close()
        else:
            self._task.cancel()
        _, late = await asyncio.wait([self._task], timeout=_LAST_SECOND)
        for task in late:
            task.cancel()

    async def _work(self) -> None:
        try:
            while not self._run.is_over and not self._relay.health.given_up:
                if not self._next and not self._relays.may_work(self._relay):
                    await self._run.bell.wait()
                elif self._session is None or self._session.spent or self._is_in_the_way:
                    await self._close()
                    await self._queue_up()
                    await self._begin_anew()
                else:
                    await self._deliver_next(self._session)
        except Exception:
            self._run.stop()
            raise
        finally:
            await self._close()
            await self._let_go()

    async def _queue_up(self) -> None:
        """Wait until the relay has a connection to spare, before anything is taken up for it."""
        self._queues = True
        self._relay.queueing += 1
        try:
            await self._relay.slots.acquire()
        finally:
            self._relay.queueing -= 1
        self._queues, self._has_slot = False, True

    @property
    def _is_in_the_way(self) -> bool:
        """Tell whether another run could use the connection, while this one has nothing that may be sent now."""
        return self._relay.queueing > 0 and not self._next and self._run.supply.rests

    async def _begin_anew(self) -> None:
        """Connect and deliver one message, as the relay's health allows."""
        async with self._relay.health.attempt() as self._attempt:
            await self._run.wait(self._relay.health.pause)
            if self._run.is_over or self._relay.health.given_up:
                return
            # A delivery isn't kept waiting for a relay in trouble while another could take it.
            if self._relay.health.is_good or not self._relays.any_good:
                self._next = self._next or await self._prepare()
                if self._next is None or self._relay.health.given_up:  # by another connection meanwhile
                    return
            try:
                sender = self._next.letter.sender if self._next else ""
                self._session = await self._relay.pool.connect(sender=sender)
            except RelayError as error:
                self._relay.health.failed(error, self._attempt)
                await self._let_go()
            else:
                await self._deliver_next(self._session)
            self._run.bell.ring()  # it may be another relay's turn

    async def _deliver_next(self, session: Session) -> None:
        """See one delivery through."""
        in_hand = self._next or await self._prepare()
        self._next = None
        if in_hand is None:
            return
        if in_hand.begun or await self._run.begin(in_hand.delivery):
            self._relay.served += 1
            await self._hand_over(in_hand, session)
        else:
            await self._close()  # it may have been announced

    async def _hand_over(self, in_hand: _InHand, session: Session) -> None:
        """Send a message whose intent is recorded, and record the outcome."""
        self._next = self._look_ahead() if session.looks_ahead else None
        try:
            outcome = await session.hand_over(in_hand.letter, self._next.letter if self._next else None)
        except SessionOverError:
            await self._close()
            await self._let_go()
            self._next = in_hand._replace(begun=True)
        except RelayError as error:
            await self._failed(error)
            await self._run.give_back(in_hand.delivery, str(error))
        else:
            await self._conclude(in_hand, outcome)

    async def _conclude(self, in_hand: _InHand, outcome: Outcome) -> None:
        """Record the outcome of a message, and what it tells of the relay."""
        delivery = in_hand.delivery
        if outcome.state is DeliveryState.UNCERTAIN:
            await self._run.settle_uncertain(delivery, outcome)
            await self._failed(RelayError(f"{self._relay.pool.name} was {outcome.text}"))
        elif outcome.doubt:
            await self._conclude_doubt(delivery, outcome)
        else:
            self._run.settle(delivery, outcome)
            is_sent = outcome.state is DeliveryState.SENT
            if is_sent and (refused := self._doubts.went_through(delivery, in_hand.known)):
                self._run.refuse(refused, self._doubts)
            if not self._doubts.in_trouble:
                self._relay.health.worked()

    async def _conclude_doubt(self, delivery: Delivery, outcome: Outcome) -> None:
        """See whether a refusal is one of many that are about us."""
        if self._doubts.in_trouble:  # a try whether the relay takes anything by now
            error = RelayError(self._doubts.trouble(outcome))
            await self._failed(error)
            await self._run.give_back(delivery, str(error), is_relays=True)
        elif self._run.set_aside(delivery, outcome, self._doubts):
            await self._failed(RelayError(self._doubts.trouble(outcome)))
            await self._run.queue_again(self._doubts)

    async def _failed(self, error: RelayError) -> None:
        self._relay.health.failed(error, self._attempt)
        await self._close()
        await self._let_go()

    async def _close(self) -> None:
        session, self._session = self._session, None
        try:
            if session:
                await session.close()
        finally:
            if self._has_slot:
                self._has_slot = False
                self._relay.slots.release()

    async def _let_go(self) -> None:
        """Leave what would be next to others, or to another run."""
        in_hand, self._next = self._next, None
        if in_hand and in_hand.begun:
            await self._run.give_back(in_hand.delivery, f"{self._relay.pool.name} ended the session")
        elif in_hand:
            self._run.supply.put_back(in_hand.delivery)

    async def _prepare(self) -> _InHand | None:
        """Return the next message when its turn has come, or None when nothing is due or the run halts."""
        delivery = await self._run.supply.take()
        if delivery is None:
            return None
        try:
            letter = await self._compose(delivery)
            if letter and await self._turn():
                return _InHand(delivery, letter, self._doubts.noted)
        except BaseException:
            self._run.supply.put_back(delivery)
            raise
        self._run.supply.put_back(delivery)
        return None

    def _look_ahead(self) -> _InHand | None:
        """Return the next message if that takes no waiting."""
        run = self._run
        if not self._relay.pace.is_open or not self._relays.may_work(self._relay):
            return None
        run.messages.prepare(run.supply.upcoming)
        delivery = run.supply.take_now()
        if delivery is None:
            return None
        try:
            if letter := run.messages.letter_at_once(delivery):
                self._relay.pace.reserve()
                return _InHand(delivery, letter, self._doubts.noted)
        except Exception:  # noqa: BLE001, S110 - not while another is in hand: raised again when its turn comes
            pass
        run.supply.put_back(delivery)
        return None

    async def _compose(self, delivery: Delivery) -> Letter | None:
        """Return a reader's message; without it the run can't go on: a template of ours is wrong."""
        try:
            await self._run.tally.expect(delivery.issue_key)
            return await self._run.messages.letter(delivery)
        except RenderError as error:
            log.error("message_not_composed", delivery=delivery.key, reason=str(error))  # noqa: TRY400
            self._run.trouble = str(error)
            self._run.stop()
            return None

    async def _turn(self) -> bool:
        """Wait as long as the relay's rate asks; tell whether the run still goes on by then."""
        await self._run.wait(self._relay.pace.reserve())
        return not self._run.is_over
