"""What a relay's reply means: about the reader, or about us.

==================  ==============  ===================================================================
stage               reply           meaning
==================  ==============  ===================================================================
any                 421             the relay closes: ours or its own trouble, `RelayError`
MAIL                4xx, 5xx        the sender is not taken: `RelayError`
RCPT                4xx             deferred
RCPT                5xx             refused, and the mailbox is dead at 5.1.x or "user unknown";
                                    `RelayError` where it speaks of us (5.7.x, login, syntax)
DATA, end of data   4xx             deferred
DATA, end of data   5xx             refused where it speaks of the mailbox (5.1.x, 5.2.x), else `RelayError`:
                                    the message displeases, which is not the reader's fault
==================  ==============  ===================================================================

Reply codes: RFC 5321, 4.2; enhanced codes: RFC 3463 and the IANA registry of enhanced status codes.
"""

from __future__ import annotations

import re
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, NamedTuple

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import RelayError

if TYPE_CHECKING:
    from collections.abc import Sequence

_TEXT_LIMIT = 300  # characters of a reply that are looked at for words, and kept in the ledger
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\uffff]+")

_START_MAIL_INPUT = 354
CLOSING = 421
_NO_SUCH_MAILBOX = 550
_OUR_MISTAKE = frozenset({500, 501, 502, 503, 504, 530, 534, 535, 538, 555})  # syntax, sequence, login
_BAD_SYNTAX = 501  # … which at RCPT is the address's

_ABOUT_ADDRESS, _ABOUT_MAILBOX, _ABOUT_POLICY = 1, 2, 7  # the subject, second figure of an enhanced code
_SENDER_ADDRESS = frozenset({7, 8})  # 5.1.7 and 5.1.8 speak of the sender's address

_UNKNOWN_USER = re.compile(
    r"(?:user|address|recipient|mailbox|account)[\w\s]*(?:unknown|not found|does(?: not|n't) exist|not exist)"
    r"|(?:unknown|no such|invalid) (?:user|address|recipient|mailbox|account|local part)"
    r"|unrouteable address|no mailbox here",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"relay|spam|block(?:ed|list)|blacklist|banned|policy|not permitted|authenticat|dnsbl|\brbl\b|\bspf\b|dmarc"
    r"|reputation",
    re.IGNORECASE,
)


class Kind(IntEnum):
    """The first figure of a reply code (RFC 5321, 4.2.1)."""

    DONE = 2
    MORE = 3
    LATER = 4
    NEVER = 5


class Stage(Enum):
    """What of a mail transaction a reply answers; the value is what our messages call it."""

    MAIL = "the sender"
    RCPT = "the recipient"
    DATA = "DATA"
    MESSAGE = "the message"


class Reply(NamedTuple):
    """One reply of an SMTP server; the lines of its text are joined by spaces."""

    code: int
    text: str

    @property
    def kind(self) -> int:
        """Return the first figure of the code, a `Kind` where the server keeps to the RFC."""
        return self.code // 100

    @property
    def enhanced(self) -> tuple[int, int, int] | None:
        """Return the enhanced status code (RFC 2034) that the text begins with, or None."""
        match = _ENHANCED.match(self.text)
        return (int(match[1]), int(match[2]), int(match[3])) if match else None

    def __str__(self) -> str:
        """Return code and text, on one line and not too long."""
        return f"{self.code} {printable(self.text)}".rstrip()


def printable(text: str) -> str:
    """Return what a server said as one line that may be logged and kept."""
    if text.isascii() and text.isprintable():
        return text.strip()[:_TEXT_LIMIT]
    return _UNPRINTABLE.sub(" ", text).strip()[:_TEXT_LIMIT]


def is_leave(replies: Sequence[Reply]) -> bool:
    """Tell whether MAIL, RCPT and DATA have all been answered well: `step` would say so of each."""
    match [reply.code for reply in replies]:
        case [to_mail, to_recipient, to_data] if to_data == _START_MAIL_INPUT:
            return to_mail // 100 == to_recipient // 100 == Kind.DONE
    return False


def step(stage: Stage, reply: Reply, relay: str) -> Outcome | None:
    """Return None where a transaction goes on, or what the reply makes of the delivery instead.

    Args:
        stage: what the reply answers, on the way to the message.
        reply: the relay's reply.
        relay: the relay's name, recorded in the outcome.

    Raises:
        RelayError: the reply speaks of us or of the relay, not of the reader.
    """
    is_good = reply.code == _START_MAIL_INPUT if stage is Stage.DATA else reply.code // 100 == Kind.DONE
    return None if is_good else _objection(stage, reply, relay)


def verdict(reply: Reply, relay: str) -> Outcome:
    """Return what the reply to a message makes of the delivery; raises like `step`."""
    if reply.code // 100 == Kind.DONE:
        return _outcome(DeliveryState.SENT, reply, relay)
    return _objection(Stage.MESSAGE, reply, relay)


def _objection(stage: Stage, reply: Reply, relay: str) -> Outcome:
    if stage is not Stage.MAIL and reply.code != CLOSING:
        if reply.kind == Kind.LATER:
            return _outcome(DeliveryState.DEFERRED, reply, relay)
        if reply.kind == Kind.NEVER and _speaks_of_reader(stage, reply):
            return _outcome(DeliveryState.REFUSED, reply, relay, dead_address=_dead(reply))
    raise RelayError(f"{relay} does not take {stage.value}: {reply}")


def _outcome(state: DeliveryState, reply: Reply, relay: str, *, dead_address: bool = False) -> Outcome:
    return Outcome(
        state=state, code=reply.code, text=printable(reply.text), relay=relay, dead_address=dead_address
    )


def _speaks_of_reader(stage: Stage, reply: Reply) -> bool:
    """Tell whether a 5xx is about the reader's mailbox rather than about us."""
    if reply.enhanced:
        _, subject, detail = reply.enhanced
        if subject == _ABOUT_ADDRESS:
            return detail not in _SENDER_ADDRESS
        if subject == _ABOUT_MAILBOX:
            return True
        if subject == _ABOUT_POLICY:
            return False
    if stage is not Stage.RCPT:
        return False
    if reply.code in _OUR_MISTAKE:
        return reply.code == _BAD_SYNTAX
    return bool(reply.enhanced) or not _POLICY.search(reply.text) or _dead(reply)


def _dead(reply: Reply) -> bool:
    """Tell whether a refusal says that the mailbox does not exist."""
    if reply.enhanced:
        return reply.enhanced[1] == _ABOUT_ADDRESS
    return reply.code == _NO_SUCH_MAILBOX and bool(_UNKNOWN_USER.search(reply.text[:_TEXT_LIMIT]))
