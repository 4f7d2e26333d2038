"""A relay that takes mails over HTTPS."""

from __future__ import annotations

import asyncio

from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError, UnansweredError
from newsletter.delivery.https.service import MailService, verdict
from newsletter.delivery.limits.quota import RelayQuota
from newsletter.delivery.relay import Relay
from newsletter.delivery.smtp.envelope import UnusableAddressError, wire_form
from newsletter.delivery.smtp.experience import Joins
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.session import Feed, Letter, Session
from newsletter.ports import Answer, Clock, Poster


class HttpsRelay(Relay):
    """A service that takes mails over HTTPS; `config` says how many at once, how fast, and by which name."""

    def __init__(
        self, config: RelayConfig, service: MailService, poster: Poster, clock: Clock, quota: RelayQuota | None
    ) -> None:
        self.name, self.connections, self.rate, self.weight = (
            config.name,
            config.connections,
            config.rate,
            config.weight,
        )
        self.account, self.quota = config.account, quota
        self.joins = Joins(config.name, allowed=False)
        self._service, self._poster, self._clock = service, poster, clock

    @override
    async def connect(self, *, sender: str = "") -> Session:
        return HttpsSession(self.name, self._service, self._poster, self._clock)


class HttpsSession(Session):
    """Hands over one mail after the other. Connections are the poster's business."""

    def __init__(self, name: str, service: MailService, poster: Poster, clock: Clock) -> None:
        self._name = name
        self._service, self._poster, self._clock = service, poster, clock
        self._posting: asyncio.Task[Answer] | None = None
        self._is_over = False

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def spent(self) -> bool:
        return self._is_over

    @property
    @override
    def can_rest(self) -> bool:
        return self._posting is None and not self._is_over

    @property
    @override
    def looks_ahead(self) -> bool:
        return False

    @override
    async def hand_over(
        self, letter: Letter, following: Letter | None = None, feed: Feed | None = None
    ) -> Outcome:
        """Hand over one letter.

        Where no answer comes once the service may have it, or `close` cuts it off, it is `uncertain`.
        """
        try:
            recipient, is_utf8 = wire_form(letter.recipient)
        except UnusableAddressError as error:
            return Outcome(state=DeliveryState.REFUSED, text=str(error), relay=self._name)
        if is_utf8:
            text = f"{self._name} does not take non-ASCII addresses"
            return Outcome(state=DeliveryState.REFUSED, text=text, relay=self._name)
        post = self._service.post(letter, recipient, self._clock())
        self._posting = asyncio.create_task(self._poster.post(*post))
        try:
            answer = await self._posting
        except UnansweredError as error:
            if not error.arrived:
                raise RelayError(f"cannot connect to {self._name}: {error}") from error
            return self._uncertain(str(error))
        except asyncio.CancelledError:
            if not self._is_over:
                self._posting.cancel()
                raise
            return self._uncertain("closed by us")
        finally:
            self._posting = None
        return verdict(self._service, answer, self._name)

    @override
    async def close(self) -> None:
        """Cut off what is under way."""
        self._is_over = True
        if self._posting:
            self._posting.cancel()

    def _uncertain(self, reason: str) -> Outcome:
        text = f"lost before the answer to the message: {reason}"
        return Outcome(state=DeliveryState.UNCERTAIN, text=text, relay=self._name)
