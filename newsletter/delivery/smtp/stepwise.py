"""A mail transaction as aiosmtplib makes it: one command, one reply. Works with every SMTP server.

It calls aiosmtplib's commands one by one instead of `sendmail`: only then is it known whether a connection was
lost before or after the message was handed over.
"""

from __future__ import annotations

from aiosmtplib import SMTP, SMTPException, SMTPServerDisconnected

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.advice import check_setup
from newsletter.delivery.smtp.envelope import Envelope, Offers, UnusableAddressError, envelope
from newsletter.delivery.smtp.experience import Experience
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.replies import CLOSING, Kind, Reply, Stage, step, verdict
from newsletter.delivery.smtp.session import Feed, Letter, SessionOverError, content

_QUIT_TIMEOUT = 2.0  # seconds that a goodbye may take


class StepwiseSession:
    """A session that hands over messages through an aiosmtplib client.

    Args:
        client: connected, greeted, secured and logged in.
        config: the relay, and how long it may take.
        experience: shared by the sessions with one relay.
        ehlo_name: what the relay was greeted with.
    """

    def __init__(self, client: SMTP, config: RelayConfig, experience: Experience, ehlo_name: str) -> None:
        self._client = client
        self._name = config.name
        self._config = config
        self._experience = experience
        self._ehlo_name = ehlo_name
        self._left = config.messages_per_connection
        self._busy = False
        self._used = False  # a message has gone through

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        return self._name

    @property
    def spent(self) -> bool:
        """Return whether the session has carried its share of messages, or lost its connection."""
        return self._left <= 0 or not self._client.is_connected

    @property
    def can_rest(self) -> bool:
        """Return whether the session may stay open, unused, and be used again later; see `Session`."""
        return self._used and not (self._busy or self.spent)

    @property
    def looks_ahead(self) -> bool:
        """Return that the next letter is of no interest here."""
        return False

    async def hand_over(
        self,
        letter: Letter,
        following: Letter | None = None,  # noqa: ARG002 - part of the protocol
        feed: Feed | None = None,  # noqa: ARG002
    ) -> Outcome:
        """Hand over one letter.

        A connection that breaks once the message is being written leaves it `uncertain`: the relay may have
        all of it.
        """
        try:
            addressed = envelope(letter, Offers.of(self._client.esmtp_extensions), self._name)
        except UnusableAddressError as error:
            return Outcome(state=DeliveryState.REFUSED, text=str(error), relay=self._name)
        self._left -= 1
        self._busy = True
        try:
            return await self._announce(addressed) or await self._transmit(letter)
        except (SMTPException, OSError) as error:
            raise RelayError(f"{self._name} was lost: {error}") from error
        except RelayError:
            self._client.close()
            raise
        finally:
            self._busy = False

    async def close(self) -> None:
        """Say QUIT and close; a transaction that is under way is cut off."""
        try:
            if not self._busy:
                await self._client.quit(timeout=_QUIT_TIMEOUT)
        except (SMTPException, OSError):
            pass  # the relay has gone before us
        finally:
            self._client.close()

    async def _announce(self, addressed: Envelope) -> Outcome | None:
        """Send the envelope; return None if the message may follow, else the outcome."""
        to_mail = await self._answer_to_mail(addressed)
        self._check(Stage.MAIL, to_mail)
        step(Stage.MAIL, to_mail, self._name)
        for stage, command in ((Stage.RCPT, addressed.recipient), (Stage.DATA, b"DATA")):
            response = await self._client.execute_command(command)
            reply = Reply(response.code, response.message)
            self._check(stage, reply)
            if outcome := step(stage, reply, self._name):
                await self._client.rset()
                return outcome
        return None

    def _check(self, stage: Stage, reply: Reply) -> None:
        """Raise `RelaySetupError` for a refusal of how we come, from a relay that never took mail."""
        if not self._experience.took_mail:
            check_setup(stage, reply, self._config, self._ehlo_name)

    async def _answer_to_mail(self, addressed: Envelope) -> Reply:
        """Return the first answer of a transaction, which may also be that the session is over."""
        try:
            response = await self._client.execute_command(addressed.mail)
        except SMTPServerDisconnected as error:
            raise (SessionOverError if self._used else RelayError)(f"{self._name} was lost: {error}") from error
        if self._used and response.code == CLOSING:
            raise SessionOverError(f"{self._name} ends the session: {response.message}")
        return Reply(response.code, response.message)

    async def _transmit(self, letter: Letter) -> Outcome:
        protocol = self._client.protocol
        if protocol is None:
            raise RelayError(f"{self._name} was lost: it closed before the message")
        pieces, end = content(letter)
        protocol.write(b"".join((*pieces, end)))
        try:
            response = await protocol.read_response(timeout=self._config.final_timeout)
        except (SMTPException, OSError) as error:
            self._client.close()
            text = f"lost before the answer to the message: {error}"
            return Outcome(state=DeliveryState.UNCERTAIN, text=text, relay=self._name)
        self._used = True
        reply = Reply(response.code, response.message)
        if reply.kind == Kind.DONE:
            self._experience.took_mail = True
        return verdict(reply, self._name)
