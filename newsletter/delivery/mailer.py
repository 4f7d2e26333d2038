"""Single mails over the relays that deliver issues."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError, RelaySetupError, StoreError
from newsletter.delivery.relay import Relay, rate_scope
from newsletter.delivery.smtp.session import Letter
from newsletter.ports import AskedPlaces, Mailer, RateLeases

log = structlog.get_logger(__name__)

_LONGEST_WAIT = 5.0  # seconds that a mail to one person waits for its place in a relay's rate


class RelayMailer(Mailer):
    """Tries the relays in their order, each over a connection of its own, whatever issue goes out meanwhile."""

    def __init__(self, relays: Sequence[Relay], rates: RateLeases | None = None) -> None:
        """Begin.

        Args:
            relays: in the order in which they are tried.
            rates: in which each mail takes a place; None: rates don't count.
        """
        self._relays, self._rates = relays, rates

    async def send(self, sender: str, recipient: str, raw: bytes) -> Outcome:
        """Hand over one mail, to the first relay that takes it; a refusal that is the reader's own is the last."""
        letter = Letter(sender, recipient, (raw,))
        outcome: Outcome | None = None
        errors: list[RelayError] = []
        not_taken = ""
        for relay in await self._in_order():
            if not_taken:
                log.warning("mail_not_taken", reason=not_taken, next=relay.name)
            await self._wait_for_place(relay)
            try:
                outcome = await _hand_over(relay, letter)
            except RelayError as error:
                errors.append(error)
                not_taken = str(error)
            else:
                if not _may_be_taken_elsewhere(outcome):
                    return outcome
                not_taken = f"{outcome.relay} answered {outcome.code} {outcome.text}"
        if outcome is not None:
            return outcome
        raise _all_of(errors)

    async def _in_order(self) -> list[Relay]:
        """Return the relays as they are tried: those whose quota is used up come last, as a letter can't wait."""
        for number, relay in enumerate(self._relays):
            if relay.quota is None or await relay.quota.reserve(single=True):
                return [*self._relays[number:], *self._relays[:number]]
        return list(self._relays)

    async def _wait_for_place(self, relay: Relay) -> None:
        """Take a place in the relay's rate and wait until it comes, but not for long."""
        if not relay.rate or self._rates is None:
            return
        place = AskedPlaces(rate_scope(relay), 1 / relay.rate, 1)
        try:
            given = await self._rates.lease([place])
        except StoreError as error:
            log.warning("rates_not_leased", reason=str(error))
        else:
            await asyncio.sleep(min(given[place.scope], _LONGEST_WAIT))


async def _hand_over(relay: Relay, letter: Letter) -> Outcome:
    session = await relay.connect(sender=letter.sender)
    try:
        return await session.hand_over(letter)
    finally:
        await session.close()


def _may_be_taken_elsewhere(outcome: Outcome) -> bool:
    """Return whether another relay may take a mail that one did not take, without sending it twice."""
    return outcome.state is DeliveryState.DEFERRED or (
        outcome.state is DeliveryState.REFUSED and bool(outcome.doubt)
    )


def _all_of(errors: Sequence[RelayError]) -> RelayError:
    """Return one error for those of all relays."""
    if len(errors) == 1:
        return errors[0]
    of_setup = all(isinstance(error, RelaySetupError) for error in errors)
    return (RelaySetupError if of_setup else RelayError)("; ".join(map(str, errors)))
