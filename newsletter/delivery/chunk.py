"""One call of delivering: what its connections share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from newsletter.core.delivery import Delivery
from newsletter.core.errors import RenderError
from newsletter.core.records import maker
from newsletter.delivery.changed import Changed
from newsletter.delivery.claims import Claims
from newsletter.delivery.limits.doubts import Doubts
from newsletter.delivery.limits.pace import Pace
from newsletter.delivery.limits.relays import RelayState
from newsletter.delivery.messages.composer import Composer
from newsletter.delivery.settlement import Settlement
from newsletter.delivery.smtp.session import Letter
from newsletter.delivery.turns import Turns

log = structlog.get_logger(__name__)


class InHand(NamedTuple):
    """A delivery that a connection has taken, and its letter; `begun` if the intent is recorded.

    `known` is how many refusals in doubt had been noted when it was taken: if it goes through, those were about
    their readers.
    """

    delivery: Delivery
    letter: Letter
    known: int
    begun: bool = False


_in_hand = maker(InHand)


@dataclass(slots=True, kw_only=True)
class Chunk:
    """What the connections of one call share. When it stops, they finish what they have in hand."""

    claims: Claims
    composer: Composer
    settlement: Settlement
    changed: Changed
    turns: Turns
    stopped: bool = False
    trouble: str = ""  # what stopped it, if it was not a relay

    @property
    def is_over(self) -> bool:
        """Return whether nothing more is to be taken."""
        return self.stopped or self.claims.is_exhausted

    def stop(self) -> None:
        """Take nothing more."""
        self.stopped = True
        self.claims.stop()

    async def wait(self, seconds: float) -> None:
        """Wait for some seconds, or until the chunk is over."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self.is_over and (left := until - loop.time()) > 0:
            await self.changed.wait(left)

    async def take(self, relay: RelayState, doubts: Doubts) -> InHand | None:
        """Return the next delivery and its letter when the relay's quota and rate let it go.

        None: nothing more is due, nothing can be sent for a while, the quota is used up, or the chunk stops.
        """
        delivery = await self.claims.take()
        if delivery is None:
            return None
        has_place = False
        try:
            if letter := await self._compose(delivery):
                has_place = await relay.reserve()
                if has_place:
                    await self._wait_for(relay.pace)
                    if not self.is_over:
                        return InHand(delivery, letter, doubts.noted)
        except BaseException:
            self._put_back(delivery, relay, has_place=has_place)
            raise
        self._put_back(delivery, relay, has_place=has_place)
        return None

    def take_now(self, relay: RelayState, doubts: Doubts) -> InHand | None:
        """Return the next delivery and its letter, if that takes no waiting."""
        pace, claims = relay.pace, self.claims
        if pace.spacing and not pace.is_open:
            return None
        delivery = claims.take_now()
        if delivery is None:
            return None
        try:
            letter = self.composer.letter_at_once(delivery, claims.upcoming)
            if letter and (relay.quota is None or relay.quota.reserve_at_once()):
                if pace.spacing:
                    pace.reserve()
                return _in_hand((delivery, letter, doubts.noted, False))
        except Exception:  # noqa: BLE001, S110 - not while another is in hand: raised again when its turn comes
            pass
        claims.put_back(delivery)
        return None

    async def _wait_for(self, pace: Pace) -> None:
        """Wait until the rate lets a message go, or until the chunk is over."""
        while not self.is_over:
            if not (later := await pace.get_ready()):
                await self.wait(pace.reserve())
                return
            await self.wait(later)

    def _put_back(self, delivery: Delivery, relay: RelayState, *, has_place: bool) -> None:
        if has_place:
            relay.give_back()
        self.claims.put_back(delivery)

    async def let_go(self, in_hand: InHand, trouble: str) -> None:
        """Leave a delivery to others; `trouble` with the relay is why, if it was begun."""
        if in_hand.begun:
            await self.settlement.give_back(in_hand.delivery, trouble, is_relays=True)
        else:
            self.claims.put_back(in_hand.delivery)

    async def _compose(self, delivery: Delivery) -> Letter | None:
        """Return a reader's letter; without it the chunk can't go on: a template of ours is wrong."""
        try:
            await self.settlement.tally.begin()
            return await self.composer.letter(delivery)
        except RenderError as error:
            log.error("message_not_composed", delivery=delivery.key, reason=str(error))  # noqa: TRY400
            self.trouble = str(error)
            self.stop()
            return None
