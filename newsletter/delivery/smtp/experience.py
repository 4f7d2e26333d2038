"""What all sessions of this process with one relay have learnt of it.

Joining is to write the next envelope together with the final dot of a message (RFC 2920, 3.1 allows it), which
saves a round trip. Not every server that offers PIPELINING takes it: Courier throws away what it has read beyond
the final dot, Haraka answers 503. One session tries it before the others do, and every joined envelope has a way
back: it is answered soon after the message is, or a new session sends it by itself. Nothing is lost or sent twice
by that, as the envelope's message has not been written.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from enum import Enum
from math import inf

import structlog

from newsletter.delivery.smtp.replies import Kind, Reply

log = structlog.get_logger(__name__)

REMEMBERED = 7 * 24 * 3600.0  # seconds after which a relay that takes no joined envelope is tried anew
_TRIALS = 3  # without a result, after which joining is left alone

_OUT_OF_SEQUENCE = frozenset({500, 502, 503})
_ABOUT_PROTOCOL = 5  # the subject of an enhanced code (RFC 3463, 3.6)
_ABOUT_PIPELINING = re.compile(r"pipelin|synchroni[sz]|bad sequence|out of sequence|protocol error", re.IGNORECASE)


class Joining(Enum):
    """Whether a relay takes the next envelope together with the final dot."""

    UNTRIED = "untried"
    BEING_TRIED = "being tried"
    WORKS = "works"
    FAILS = "fails"


# Looked up once: each message needs them.
_WORKS, _BEING_TRIED = Joining.WORKS, Joining.BEING_TRIED


class Joins:
    """What is known about `Joining`; `reason` says what happened where it fails."""

    def __init__(self, relay: str, *, allowed: bool = True) -> None:
        self._relay = relay
        self._allowed = allowed
        self._state = Joining.UNTRIED
        self._in_a_row = 0  # joined envelopes that worked
        self._undecided = 0  # trials without a result
        self.reason = ""
        self.tried_again_at = 0.0  # when a failure is forgotten, in the loop's time
        self.on_change: Callable[[str], None] | None = None  # called with the relay's name

    @property
    def state(self) -> Joining:
        """Return what is known now."""
        if not self._allowed:
            return Joining.FAILS
        if self._state is Joining.FAILS and asyncio.get_running_loop().time() >= self.tried_again_at:
            self._state = Joining.UNTRIED
        return self._state

    @property
    def may_join(self) -> bool:
        """Return whether a session may write the next envelope with the final dot, or try to."""
        return self._state is _WORKS or self.state is Joining.UNTRIED

    def begin(self) -> bool:
        """Return whether the next envelope may be joined now; during the trial no other session joins any."""
        if self._state is _WORKS:
            return True
        if not self.may_join:
            return False
        if self._state is Joining.UNTRIED:
            self._state = Joining.BEING_TRIED
        return True

    def worked(self) -> None:
        """Note that a joined envelope was understood."""
        self._in_a_row += 1
        if self._state is _BEING_TRIED:
            self._state, self._undecided = Joining.WORKS, 0
            if self.reason:
                self.reason = ""
                self._announce_change()

    def failed(self, reason: str, *, excused_after: float = inf) -> None:
        """Note that a joined envelope was not understood.

        Args:
            reason: what happened.
            excused_after: after this number of envelopes in a row that were understood, the failure may be an
                accident: it is tried once more.
        """
        proven, self._in_a_row = self._in_a_row, 0
        if self._state is Joining.WORKS and proven >= excused_after:
            self._state = Joining.UNTRIED
        elif self._state is Joining.UNTRIED and excused_after < inf:
            pass  # the same accident, seen by another session: a relay that restarts ends all of them
        elif self._state is not Joining.FAILS:
            self._fail(reason)

    def undecided(self, reason: str) -> None:
        """Note that the relay said something during the trial that need not have to do with it."""
        if self._state is not Joining.BEING_TRIED:
            return
        self._state = Joining.UNTRIED
        self._undecided += 1
        if self._undecided >= _TRIALS:
            self._fail(reason)

    def left_off(self) -> None:
        """Note that a session was closed before a joined envelope was answered."""
        if self._state is Joining.BEING_TRIED:
            self._state = Joining.UNTRIED

    def recall(self, reason: str, until: float) -> bool:
        """Take in that another process saw it fail, and until when that counts, in the loop's time.

        Returns:
            whether that is news.
        """
        is_news = self.state is Joining.UNTRIED
        if is_news:
            self._state, self.reason = Joining.FAILS, reason
            # Clocks may have been set: it never counts longer than it could have been noted for.
            self.tried_again_at = min(until, asyncio.get_running_loop().time() + REMEMBERED)
        return is_news

    def _fail(self, reason: str) -> None:
        self._state, self.reason, self._undecided = Joining.FAILS, reason, 0
        self.tried_again_at = asyncio.get_running_loop().time() + REMEMBERED
        log.info("relay_takes_no_joined_envelopes", relay=self._relay, reason=reason)
        self._announce_change()

    def _announce_change(self) -> None:
        if self.on_change:
            self.on_change(self._relay)


class Experience:
    """What is known of one relay from all sessions of this process."""

    def __init__(self, relay: str, *, joining: bool = True) -> None:
        self.joins = Joins(relay, allowed=joining)
        self.greeted = False  # a session could be opened
        self.took_mail = False  # a message was taken


def objects_to_pipelining(reply: Reply) -> bool:
    """Return whether a refusal is about the order or the time of our commands, not about what they say."""
    if reply.kind not in {Kind.LATER, Kind.NEVER}:
        return False
    return reply.code in _OUT_OF_SEQUENCE or bool(_ABOUT_PIPELINING.search(reply.text))


def misunderstanding(replies: Sequence[Reply]) -> Reply | None:
    """Return which answer shows that a relay has not taken a joined envelope for one; None: it may have.

    Args:
        replies: the answers to MAIL, RCPT and DATA.
    """
    to_mail, to_recipient, to_data = replies
    about_protocol = [reply.enhanced is not None and reply.enhanced[1] == _ABOUT_PROTOCOL for reply in replies]
    if to_mail.kind != Kind.DONE:
        return to_mail if objects_to_pipelining(to_mail) or about_protocol[0] else None
    if to_recipient.kind != Kind.DONE:  # 5.5.0 is said of mailboxes, too
        return to_recipient if objects_to_pipelining(to_recipient) else None
    return (
        to_data if objects_to_pipelining(to_data) or (about_protocol[2] and to_data.kind == Kind.NEVER) else None
    )
