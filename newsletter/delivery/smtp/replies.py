"""What a relay's reply means: about the reader, or about us.

==================  ==============  ===================================================================
stage               reply           meaning
==================  ==============  ===================================================================
any                 421             the relay closes: ours or its own trouble, `RelayError`
MAIL                4xx, 5xx        the sender is not taken: `RelayError`
RCPT to the end     4xx             deferred
RCPT to the end     5xx             `RelayError` where the session itself is wrong (login, syntax, order);
                                    refused where it speaks of the mailbox, which is dead at 5.1.x or "user
                                    unknown"; else refused in `Doubt`: the next messages tell
==================  ==============  ===================================================================

Relays refuse single readers by "policy", too: who asked them not to be written to, who bounced before, whose
mailbox takes no mail from outside. The words of such an answer are the same as where it is about our
address, our quota or the message. `newsletter.delivery.limits.doubts` looks at what happens with other readers.

Reply codes: RFC 5321, 4.2; enhanced codes: RFC 3463, RFC 7293 and the IANA registry of enhanced status codes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum, IntEnum
from typing import NamedTuple

from newsletter.core.delivery import DeliveryState, Doubt, Outcome
from newsletter.core.errors import RelayError
from newsletter.core.records import maker
from newsletter.core.text import one_line

_TEXT_LIMIT = 300  # characters of a reply that are looked at for words, and kept in the ledger
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")

_START_MAIL_INPUT = 354
CLOSING = 421
_NO_SUCH_MAILBOX = 550
_SESSION_IS_WRONG = frozenset({500, 502, 503, 504, 530, 534, 535, 538, 555})  # syntax, order of commands, login
_BAD_SYNTAX = 501  # … which at RCPT is the address's

# The subject, second figure of an enhanced code.
_ABOUT_ADDRESS, _ABOUT_MAILBOX, _ABOUT_ROUTE, _ABOUT_PROTOCOL, _ABOUT_POLICY = 1, 2, 4, 5, 7
_OTHER = frozenset({0, _ABOUT_PROTOCOL})  # with the detail 0
_SENDER_ADDRESS = frozenset({7, 8})  # 5.1.7 and 5.1.8 speak of the sender's address
_LOGIN = frozenset({8, 9, 11, 14})  # 5.7.x: credentials, mechanism, encryption, trust
# 5.7.x that speak of one mailbox: mailing list, account disabled, new owner of mailbox or domain (RFC 7293), and
# Exchange's restrictions on who may write to a mailbox or group.
_OF_ONE_MAILBOX = frozenset({2, 12, 13, 17, 18, *range(120, 140)})
# 5.7.x that speak of our signature, our address or our account: SPF, DKIM, reverse DNS (RFC 7372 and others), and
# Microsoft's for senders that are blocked.
_OF_SENDERS = frozenset({*range(20, 30), 57, 64, *range(500, 800)})
_TOO_MUCH = 5  # 5.4.5, as Gmail says it of a daily limit

_UNKNOWN_USER = re.compile(
    r"(?:user|address|recipient|mailbox|account)[\w\s]*(?:unknown|not found|does(?: not|n't) exist|not exist)"
    r"|(?:unknown|no such|invalid) (?:user|address|recipient|mailbox|account|local part)"
    r"|unrouteable address|no mailbox here",
    re.IGNORECASE,
)
_MAILBOX = re.compile(r"mailbox|inbox|over ?quota|recipient|user", re.IGNORECASE)
_POLICY = re.compile(
    r"relay|spam|block(?:ed|list)|blacklist|banned|policy|permitted|authenticat|dnsbl|\brbl\b|\bspf\b|dmarc"
    r"|reputation|denied|suppress",
    re.IGNORECASE,
)
_OURS = re.compile(
    r"quota|limit|exceed|too many|throttl|\brate\b|relay|authenticat|\bIP\b|\b\d+\.\d+\.\d+\.\d+\b|dnsbl|\brbl\b"
    r"|\bspf\b|\bdkim\b|dmarc|reputation|unusual"
    r"|(?:your|sending|sender'?s?) (?:host|server|domain|account|address)",
    re.IGNORECASE,
)
# The reader's address stands in many replies; its own words say nothing. No server needs more than a line for one.
_ADDRESS = re.compile(r"[^\s<>]{1,320}@[^\s<>]{1,320}")


class Kind(IntEnum):
    """The first figure of a reply code (RFC 5321, 4.2.1)."""

    DONE = 2
    MORE = 3
    LATER = 4
    NEVER = 5


# A member that is looked up in its class takes some 0.2 µs (Python 3.11), and each message needs a dozen.
_DONE, _SENT, _NO_DOUBT = Kind.DONE, DeliveryState.SENT, Doubt.NONE
_made_outcome = maker(Outcome)


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
    return one_line(text, _TEXT_LIMIT)


def is_leave(replies: Sequence[Reply]) -> bool:
    """Return whether MAIL, RCPT and DATA have all been answered well: `step` would say so of each."""
    if len(replies) != len(("MAIL", "RCPT", "DATA")):
        return False
    to_mail, to_recipient, to_data = replies
    return to_data.code == _START_MAIL_INPUT and to_mail.code // 100 == to_recipient.code // 100 == _DONE


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
    code, text = reply
    if code // 100 == _DONE:
        return _made_outcome((_SENT, code, one_line(text, _TEXT_LIMIT), relay, False, _NO_DOUBT))
    return _objection(Stage.MESSAGE, reply, relay)


def _objection(stage: Stage, reply: Reply, relay: str) -> Outcome:
    if stage is not Stage.MAIL and reply.code != CLOSING:
        if reply.kind == Kind.LATER:
            return _outcome(DeliveryState.DEFERRED, reply, relay)
        if reply.kind == Kind.NEVER and not _session_is_wrong(stage, reply):
            doubt = Doubt.NONE if _speaks_of_reader(stage, reply) else _doubt(reply)
            is_dead = doubt is Doubt.NONE and _dead(reply)
            return _outcome(DeliveryState.REFUSED, reply, relay, dead_address=is_dead)._replace(doubt=doubt)
    raise RelayError(f"{relay} does not take {stage.value}: {reply}")


def _outcome(state: DeliveryState, reply: Reply, relay: str, *, dead_address: bool = False) -> Outcome:
    return Outcome(state, reply.code, printable(reply.text), relay, dead_address)


def _session_is_wrong(stage: Stage, reply: Reply) -> bool:
    """Return whether a 5xx says that nothing can be sent like this: the relay wants a login, or other commands."""
    if code := _meaning(reply):
        subject, detail = code
        if subject == _ABOUT_PROTOCOL or (subject == _ABOUT_POLICY and detail in _LOGIN):
            return True
    return reply.code in _SESSION_IS_WRONG or (reply.code == _BAD_SYNTAX and stage is not Stage.RCPT)


def _speaks_of_reader(stage: Stage, reply: Reply) -> bool:
    """Return whether a 5xx is beyond doubt about the reader's mailbox."""
    if code := _meaning(reply):
        subject, detail = code
        if subject == _ABOUT_ADDRESS:
            return detail not in _SENDER_ADDRESS
        return subject == _ABOUT_MAILBOX or (subject == _ABOUT_POLICY and detail in _OF_ONE_MAILBOX)
    if stage is not Stage.RCPT:
        return False
    said = _words(reply)
    return reply.code == _BAD_SYNTAX or _dead(reply) or bool(_MAILBOX.search(said) and not _POLICY.search(said))


def _doubt(reply: Reply) -> Doubt:
    """Return how much a refusal that may be the reader's or ours sounds like ours."""
    if code := _meaning(reply):
        subject, detail = code
        of_sender = (
            (subject == _ABOUT_POLICY and detail in _OF_SENDERS)
            or (subject == _ABOUT_ADDRESS and detail in _SENDER_ADDRESS)
            or (subject == _ABOUT_ROUTE and detail == _TOO_MUCH)
        )
        if of_sender:
            return Doubt.OURS
    return Doubt.OURS if _OURS.search(_words(reply)) else Doubt.SOME


def _meaning(reply: Reply) -> tuple[int, int] | None:
    """Return subject and detail of the enhanced code; None where it has none, or one that means nothing by itself.

    X.0.0 and X.5.0 are "other" (RFC 3463, 3.1 and 3.6): Outlook.com says 550 5.5.0 of missing mailboxes.
    """
    if reply.enhanced is None:
        return None
    _, subject, detail = reply.enhanced
    is_other = detail == 0 and subject in _OTHER
    return None if is_other else (subject, detail)


def _words(reply: Reply) -> str:
    """Return what a reply says in words: without enhanced code and addresses."""
    return _ADDRESS.sub("", _ENHANCED.sub("", reply.text[:_TEXT_LIMIT], count=1))


def _dead(reply: Reply) -> bool:
    """Return whether a refusal says that the mailbox does not exist."""
    if code := _meaning(reply):
        return code[0] == _ABOUT_ADDRESS
    return reply.code == _NO_SUCH_MAILBOX and bool(_UNKNOWN_USER.search(_words(reply)))
