"""A mail transaction in one or two round trips: command pipelining (RFC 2920).

aiosmtplib has connected, secured and logged in; from then on this session uses the connection by itself.
MAIL, RCPT and DATA go out together and their replies are read together. If the next message is known when this one
is sent, its MAIL, RCPT and DATA are *joined*: they stand in the same write as the final dot, as RFC 2920, 3.1
allows, and are answered together with it: one round trip a message. `newsletter.delivery.smtp.experience` says
what happens where a relay doesn't take it.

CHUNKING (RFC 3030) would save the same round trip, no more. But it sends the whole message before it is known
whether its recipient is taken, so it isn't used.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.advice import check_setup
from newsletter.delivery.smtp.envelope import Offers, UnusableAddressError, commands
from newsletter.delivery.smtp.experience import Experience, Joining, misunderstanding, objects_to_pipelining
from newsletter.delivery.smtp.relay_config import RelayConfig
from newsletter.delivery.smtp.replies import CLOSING, Kind, Reply, Stage, is_leave, step, verdict
from newsletter.delivery.smtp.session import Feed, Going, Letter, SessionOverError, content
from newsletter.delivery.smtp.wire import LostError, SilentError, Wire

_QUIT_TIMEOUT = 2.0  # seconds that a goodbye may take
# A joined envelope has arrived when the message is answered: its own answers are due soon after that …
_JOINED_TIMEOUT = 0.5  # seconds
_TIMES_SLOWER = 2.0  # … and later by this factor of what the slowest envelope of the session took
_LONGEST_JOINED_TIMEOUT = 10.0  # seconds
_WELL_PROVEN = 100  # joined envelopes in a row, after which one without an answer may have been an accident
_DONE, _NO, _NOW = Kind.DONE, Going.NO, Going.NOW  # looked up once: each message needs them
_COMMANDS = 3  # of an envelope: MAIL, RCPT, DATA
_ALL = 1 + _COMMANDS  # answers to a message and to the envelope that was joined to it


class PipelinedSession:
    """A session that pipelines, on the connection of an aiosmtplib client.

    Args:
        wire: the connection.
        extensions: what the relay offered in answer to EHLO.
        config: the relay, and how long it may take.
        experience: shared by the sessions with one relay.
        ehlo_name: what the relay was greeted with.
    """

    def __init__(
        self,
        wire: Wire,
        extensions: Mapping[str, str],
        config: RelayConfig,
        experience: Experience,
        ehlo_name: str,
    ) -> None:
        self._wire = wire
        self._offers = Offers.of(extensions)
        self._name = config.name
        self._config = config
        self._experience = experience
        self._joins = experience.joins
        self._ehlo_name = ehlo_name
        self._left = config.messages_per_connection
        self._slowest = 0.0  # seconds that an envelope by itself took
        self._announced: Letter | None = None  # its envelope was joined to the last message
        # The announced letter and the one after it, while the intent of the first is being written.
        self._begins: tuple[Letter, Letter | None] | None = None
        self._busy = False
        self._used = False  # a message has gone through
        self._unclean = False  # the last transaction must be reset
        self._is_cut_off = False  # by us: what is lost then says nothing of the relay

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        return self._name

    @property
    def spent(self) -> bool:
        """Return whether the session has carried its share of messages, or lost its connection."""
        return self._left <= 0 or bool(self._wire.lost)

    @property
    def can_rest(self) -> bool:
        """Return whether the session may stay open, unused, and be used again later; see `Session`."""
        return self._used and not (self._busy or self._announced or self.spent)

    @property
    def looks_ahead(self) -> bool:
        """Return whether the session is faster if it knows the next letter."""
        return self._left > 1 and self._joins.may_join

    async def hand_over(
        self, letter: Letter, following: Letter | None = None, feed: Feed | None = None
    ) -> Outcome:
        """Hand over one letter, as soon as its envelope is taken; announce the next with it.

        As long as letters and joined envelopes are taken, `feed` gives the next, within the call by which the
        transport hands over the replies: to wake a task for each message would take as long as to send it.
        """
        if self._announced is not None and self._announced != letter:
            raise ValueError("another message was announced")
        self._busy = True
        try:
            outcome = await self._open(letter) or await self._transmit(letter, following, feed)
        except UnusableAddressError as error:
            return Outcome(state=DeliveryState.REFUSED, text=str(error), relay=self._name)
        except RelayError:
            self._wire.abort()
            raise
        finally:
            if self._begins:  # cut off meanwhile
                self._begins = None
                self._wire.abort()
            self._busy = False
            self._wire.on_reply(None)
        return outcome

    async def close(self) -> None:
        """Say QUIT and close; a transaction that is under way is cut off."""
        if self._announced:
            self._joins.left_off()
        if self._busy or self._announced or self._wire.has_held_back or self._wire.lost:
            self._is_cut_off = True
            self._wire.abort()
            return
        try:
            self._wire.write(b"QUIT\r\n", replies=1)
            await self._wire.reply(_QUIT_TIMEOUT)
        except LostError:
            pass  # the relay has gone before us
        finally:
            self._wire.close()

    async def _open(self, letter: Letter) -> Outcome | None:
        """Send the envelope; return None if the message may follow, else the outcome."""
        if self._announced is None:
            return await self._judged(*await self._ask(letter))
        self._left -= 1
        if is_leave(self._wire.replies[:_COMMANDS]):
            self._take_leave(_COMMANDS)
            return None
        return await self._judged(*await self._answers_to_joined())

    async def _judged(self, to_mail: Reply, to_recipient: Reply, to_data: Reply) -> Outcome | None:
        """Return what the answers to an envelope make of the delivery, None where its message may be sent."""
        self._check(Stage.MAIL, to_mail)
        step(Stage.MAIL, to_mail, self._name)
        self._check(Stage.RCPT, to_recipient)
        outcome = step(Stage.RCPT, to_recipient, self._name)
        if outcome and to_data.kind == Kind.MORE:  # it now awaits a message for nobody
            self._wire.write(b".\r\n", replies=1)
            await self._answer()
        outcome = outcome or step(Stage.DATA, to_data, self._name)
        self._unclean = outcome is not None
        return outcome

    async def _ask(self, letter: Letter) -> tuple[Reply, Reply, Reply]:
        """Send an envelope by itself and return the answers."""
        reset, replies = (b"RSET\r\n", 4) if self._unclean else (b"", 3)
        began = time.monotonic()
        self._wire.write(reset + commands(letter, self._offers, self._name), replies=replies)
        self._left -= 1
        try:
            if reset:
                await self._wire.reply(self._config.timeout)
            to_mail = await self._wire.reply(self._config.timeout)
        except LostError as error:
            raise self._lost(error, over=self._used) from error
        if to_mail.kind != Kind.DONE:  # it may close without another word
            self._object_to_end(to_mail)
            self._check(Stage.MAIL, to_mail)
            step(Stage.MAIL, to_mail, self._name)
        answers = to_mail, await self._answer(), await self._answer()
        self._slowest = max(self._slowest, time.monotonic() - began)
        return answers

    async def _answers_to_joined(self) -> tuple[Reply, Reply, Reply]:
        """Return the answers to an envelope that was joined to the last message.

        The message itself is answered by now. If the envelope is not, or not for what it is, then its own message
        has not been written: a new session sends it.

        Raises:
            SessionOverError: the relay has ended the session or hasn't understood.
        """
        patience = min(
            _JOINED_TIMEOUT + _TIMES_SLOWER * self._slowest, _LONGEST_JOINED_TIMEOUT, self._config.timeout
        )
        began = time.monotonic()
        answers: list[Reply] = []
        self._announced = None
        try:
            while len(answers) < _COMMANDS:
                answers.append(await self._wire.reply(patience))
                self._object_to_end(answers[0])
        except LostError as error:
            self._joining_failed(answers, error)
            raise self._lost(error, over=True) from error
        to_mail, to_recipient, to_data = answers
        wrong = misunderstanding(answers)
        if wrong:
            self._joins.failed(str(wrong))
        elif to_mail.kind != Kind.DONE and self._joins.state is Joining.BEING_TRIED:
            self._joins.undecided(str(to_mail))
            wrong = to_mail
        if wrong:
            raise SessionOverError(f"{self._name} did not understand: {wrong}")
        self._joins.worked()
        self._slowest = max(self._slowest, time.monotonic() - began)
        return to_mail, to_recipient, to_data

    async def _transmit(self, letter: Letter, following: Letter | None, feed: Feed | None) -> Outcome:
        if self._wire.lost:  # after the envelope was taken: nothing of the message has gone out
            raise self._lost(LostError(self._wire.lost), over=self._used)
        if feed:
            self._wire.on_reply(partial(self._go_on, feed))
        self._send(letter, following)
        try:
            reply = await self._wire.reply(self._config.final_timeout)
        except LostError as error:
            if self._wire.has_held_back:
                raise self._lost(error, over=self._used) from error
            if self._announced:
                self._joining_failed((), error)
            # With an envelope in the same write nobody knows which of both has not gone out.
            elif self._wire.unsent:
                raise RelayError(f"{self._name} was lost in the middle of a message: {error}") from error
            text = f"lost before the answer to the message: {error}"
            return Outcome(state=DeliveryState.UNCERTAIN, text=text, relay=self._name)
        self._used = True
        if self._announced and objects_to_pipelining(reply):  # not to the message, which may come again
            self._joins.failed(str(reply))
            raise SessionOverError(f"{self._name} did not understand: {reply}")
        if reply.kind == Kind.DONE:
            self._experience.took_mail = True
        return verdict(reply, self._name)

    def _go_on(self, feed: Feed) -> bool:
        """Go on to the announced letter, if the one before and its own envelope have been taken by now."""
        announced, wire = self._announced, self._wire
        taken = wire.replies[0]
        if announced is None or taken.code // 100 != _DONE or not is_leave(wire.replies[1:_ALL]):
            return False
        going = feed.go_on(verdict(taken, self._name), partial(self._begun, announced))
        if going is _NO:
            return False
        self._take_leave(_ALL)
        self._used = self._experience.took_mail = True
        self._left -= 1
        following = feed.look_ahead() if self._left > 1 and self._joins.may_join else None
        if going is _NOW:
            self._send(announced, following)
        else:
            self._begins = announced, following
            wire.hold()
        return True

    def _begun(self, letter: Letter, error: BaseException | None) -> None:
        """Send a letter whose intent is written by now; or have `hand_over` raise an error."""
        if self._begins is None or self._begins[0] is not letter:  # `hand_over` was cut off
            return
        _, following = self._begins
        self._begins = None
        if error is None and self._wire.lost:  # nothing of the message has gone out
            error = self._lost(LostError(self._wire.lost), over=True)
        if error is None:
            try:
                self._send(letter, following)
            except Exception as wrong:  # noqa: BLE001 - raised by `hand_over`
                error = wrong
        if error is not None:  # the relay awaits a message, and nothing else may come in its place
            self._wire.abort()
        self._wire.let_go(error)

    def _take_leave(self, replies: int) -> None:
        """Note that the announced letter's envelope was taken, as the last of so many replies say."""
        self._announced = None
        del self._wire.replies[:replies]
        self._joins.worked()
        self._unclean = False

    def _send(self, letter: Letter, following: Letter | None) -> None:
        joined = self._join(following) if following else b""
        pieces, end = content(letter)
        # In one write, and so in one TLS record: a server that reads both at once answers both at once, instead of
        # keeping the second answer back until the first is acknowledged.
        self._wire.write_soon(end + joined, replies=_ALL if joined else 1, before=pieces)

    def _join(self, following: Letter) -> bytes:
        """Return the next letter's commands, or nothing if they can't stand in the write of the final dot."""
        try:
            joined = commands(following, self._offers, self._name)
        except (UnusableAddressError, RelayError):
            return b""  # raised when its turn comes
        if not self._joins.begin():
            return b""
        self._announced = following
        return joined

    def _check(self, stage: Stage, reply: Reply) -> None:
        """Raise `RelaySetupError` for a refusal of how we come, from a relay that never took mail."""
        if not self._experience.took_mail:
            check_setup(stage, reply, self._config, self._ehlo_name)

    def _object_to_end(self, to_mail: Reply) -> None:
        """Raise `SessionOverError` if MAIL is answered by the end of the session, after at least one message."""
        if to_mail.code != CLOSING or not self._used:
            return
        if objects_to_pipelining(to_mail):
            self._joins.failed(str(to_mail))
        else:
            self._joins.undecided(str(to_mail))
        raise SessionOverError(f"{self._name} ends the session: {to_mail}")

    def _joining_failed(self, answers: Sequence[Reply], error: LostError) -> None:
        """Note that the session was lost over a joined envelope."""
        if self._is_cut_off:
            return
        if answers and objects_to_pipelining(answers[0]):
            self._joins.failed(str(answers[0]))
        elif isinstance(error, SilentError):
            self._joins.failed(str(error), excused_after=_WELL_PROVEN)
        else:
            self._joins.failed(str(error), excused_after=1)

    async def _answer(self) -> Reply:
        try:
            return await self._wire.reply(self._config.timeout)
        except LostError as error:
            raise self._lost(error) from error

    def _lost(self, error: LostError, *, over: bool = False) -> RelayError:
        return (SessionOverError if over else RelayError)(f"{self._name} was lost: {error}")
