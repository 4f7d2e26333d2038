"""A mail transaction in one or two round trips: command pipelining (RFC 2920).

aiosmtplib has connected, secured and logged in; from there this session talks on the same connection by itself.
MAIL, RCPT and DATA go out together and their replies are read together. If the next message is known when this one
is sent, its MAIL, RCPT and DATA stand in the same write behind the final dot, as RFC 2920, 3.1 allows, and are
answered together with it: one round trip a message.

CHUNKING (RFC 3030) would save the same round trip, no more. But it sends the whole message before it is known
whether its recipient is taken, so it isn't used.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import structlog

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError
from newsletter.delivery.envelope import Offers, UnusableAddressError, envelope
from newsletter.delivery.link import Link, LostError
from newsletter.delivery.replies import CLOSING, Kind, Stage, is_leave, step, verdict
from newsletter.delivery.session import Letter, SessionOverError, content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from newsletter.delivery.replies import Reply

log = structlog.get_logger(__name__)

_QUIT_TIMEOUT = 2.0  # seconds that a goodbye may take
_FIRST_JOIN_TIMEOUT = 5.0  # … and the answer to the first envelope that stood behind a final dot


class Joining(Enum):
    """Whether a relay takes the next envelope behind the final dot."""

    UNTRIED = "untried"
    BEING_TRIED = "being tried"
    WORKS = "works"
    FAILS = "fails"


class Joins:
    """What all sessions with one relay know about `Joining`: one of them tries it before the others do it."""

    def __init__(self) -> None:
        self.state = Joining.UNTRIED


class PipelinedSession:
    """A session that pipelines, on the connection of an aiosmtplib client.

    Args:
        link: the connection.
        extensions: what the relay offered in answer to EHLO.
        name: the relay's name.
        joins: shared by the sessions with one relay.
        limit: how many messages the session takes before it is spent.
        timeout: seconds for each answer on the way.
        final_timeout: seconds for the answer to a message (RFC 5321, 4.5.3.2.6 asks for ten minutes).
    """

    def __init__(
        self,
        link: Link,
        extensions: Mapping[str, str],
        name: str,
        joins: Joins,
        *,
        limit: int,
        timeout: float,
        final_timeout: float,
    ) -> None:
        self._link = link
        self._offers = Offers.of(extensions)
        self._name = name
        self._joins = joins
        self._left = limit
        self._timeout = timeout
        self._final_timeout = final_timeout
        self._announced: Letter | None = None  # its envelope stood behind the last final dot
        self._trying = False  # … for the first time with this relay
        self._busy = False
        self._used = False  # a message has gone through
        self._unclean = False  # the last transaction must be reset

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        return self._name

    @property
    def spent(self) -> bool:
        """Tell whether the session has taken its fill, or lost its connection."""
        return self._left <= 0 or bool(self._link.lost)

    @property
    def looks_ahead(self) -> bool:
        """Tell whether the session is faster if it knows the next letter."""
        state = self._joins.state
        return self._left > 1 and (state is Joining.WORKS or state is Joining.UNTRIED)

    async def send(self, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message; see `ports.Relay.send`."""
        return await self.hand_over(Letter(sender, recipient, (message,)))

    async def hand_over(self, letter: Letter, following: Letter | None = None) -> Outcome:
        """Hand over one letter; see `Session.hand_over`."""
        if self._announced is not None and self._announced != letter:
            raise ValueError("another message was announced")
        self._busy = True
        try:
            outcome = await self._open(letter) or await self._transmit(letter, following)
        except UnusableAddressError as error:
            return Outcome(state=DeliveryState.REFUSED, text=str(error), relay=self._name)
        except RelayError:
            self._link.abort()
            raise
        finally:
            self._busy = False
        return outcome

    async def close(self) -> None:
        """Say QUIT and close; a transaction that is under way is cut off."""
        self._end_trial(Joining.UNTRIED)
        if self._busy or self._announced or self._link.lost:
            self._link.abort()
            return
        try:
            self._link.write(b"QUIT\r\n", replies=1)
            await self._link.reply(_QUIT_TIMEOUT)
        except LostError:
            pass  # the relay has gone before us
        finally:
            self._link.close()

    async def _open(self, letter: Letter) -> Outcome | None:
        """Ask leave to send a message; an outcome is what the relay says instead."""
        announced, self._announced = self._announced is not None, None
        if not announced:
            reset, replies = (b"RSET\r\n", 4) if self._unclean else (b"", 3)
            self._link.write(reset + self._commands(letter), replies=replies)
        self._left -= 1
        if announced and not self._trying and is_leave(self._link.at_hand(3)):  # so it is nearly always
            self._link.skip(3)
            self._unclean = False
            return None
        step(Stage.MAIL, await self._answer_to_mail(), self._name)
        to_recipient, to_data = await self._answer(), await self._answer()
        outcome = step(Stage.RCPT, to_recipient, self._name)
        if outcome and to_data.kind == Kind.MORE:  # it now awaits a message for nobody
            self._link.write(b".\r\n", replies=1)
            await self._answer()
        outcome = outcome or step(Stage.DATA, to_data, self._name)
        self._unclean = outcome is not None
        return outcome

    async def _transmit(self, letter: Letter, following: Letter | None) -> Outcome:
        behind = self._announce(following) if following else b""
        self._link.write(*content(letter), behind, replies=4 if behind else 1)
        try:
            reply = await self._link.reply(self._final_timeout)
        except LostError as error:
            self._end_trial(Joining.FAILS)
            # With an envelope behind the final dot it can't be told which of both has not gone out.
            if self._link.unsent and not behind:
                raise RelayError(f"{self._name} was lost in the middle of a message: {error}") from error
            text = f"lost before the answer to the message: {error}"
            return Outcome(state=DeliveryState.UNCERTAIN, text=text, relay=self._name)
        self._used = True
        return verdict(reply, self._name)

    def _announce(self, following: Letter) -> bytes:
        """Return the next letter's commands, or nothing if they can't stand behind the final dot."""
        try:
            commands = self._commands(following)
        except (UnusableAddressError, RelayError):
            return b""  # told when its turn comes
        if self._joins.state is Joining.UNTRIED:
            self._joins.state, self._trying = Joining.BEING_TRIED, True
        elif self._joins.state is not Joining.WORKS:
            return b""
        self._announced = following
        return commands

    def _commands(self, letter: Letter) -> bytes:
        addressed = envelope(letter, self._offers, self._name)
        return b"%b\r\n%b\r\nDATA\r\n" % (addressed.mail, addressed.recipient)

    async def _answer_to_mail(self) -> Reply:
        """Return the first answer of a transaction, which may also be that the session is over."""
        timeout = min(self._timeout, _FIRST_JOIN_TIMEOUT) if self._trying else self._timeout
        try:
            if self._unclean:
                await self._link.reply(timeout)
            reply = await self._link.reply(timeout)
        except LostError as error:
            self._end_trial(Joining.FAILS)
            raise self._lost(error, over=self._used) from error
        misunderstood = self._trying and reply.kind != Kind.DONE and reply.code != CLOSING
        if self._trying:
            self._end_trial(Joining.FAILS if misunderstood else Joining.WORKS)
        if misunderstood or (self._used and reply.code == CLOSING):
            raise SessionOverError(f"{self._name} ends the session: {reply}")
        return reply

    def _end_trial(self, state: Joining) -> None:
        if self._trying:
            self._trying, self._joins.state = False, state
            if state is Joining.FAILS:
                log.info("relay_wants_one_message_at_a_time", relay=self._name)

    async def _answer(self) -> Reply:
        try:
            return await self._link.reply(self._timeout)
        except LostError as error:
            raise self._lost(error) from error

    def _lost(self, error: LostError, *, over: bool = False) -> RelayError:
        return (SessionOverError if over else RelayError)(f"{self._name} was lost: {error}")
