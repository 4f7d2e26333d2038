"""What comes back of a mail: what a report means, and what follows from it for the reader.

===============  ==========================================================================================
kind             what follows
===============  ==========================================================================================
`HARD`           the mailbox or its domain is not there: the address is called dead
`EXPIRED`        given up after days (X.4.7): so, too
`SOFT`           another failure: counts; five in a row, with no success between, call the address dead
`OURS`           about the message or about us, such as its size or a list of spammers: never counts
`COMPLAINT`      a reader calls it spam: out at once, on all lists
`UNSUBSCRIBE`    a reader leaves the list
`NOTHING`        an answer by a machine, a delay, a success
===============  ==========================================================================================

An address that is called dead is suppressed, unless its provider may be mistaken (`core.dead_addresses`).

Enhanced codes: RFC 3463, RFC 7293, RFC 7372 and the registry of IANA; what Microsoft means by those above X.X.300:
https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

# So many deliveries in a row that came back call an address dead, though none of them says so.
IN_A_ROW = 5
# A report that names an address alone is about a mail of this time, or about none of ours.
RECENT = timedelta(days=30)

UNKNOWN_USER = re.compile(
    r"(?:user|address|recipient|mailbox|account)[\w\s]*(?:unknown|not found|does(?: not|n't) exist|not exist)"
    r"|(?:unknown|no such|invalid) (?:user|address|recipient|mailbox|account|local part)"
    r"|unrouteable address|no mailbox here",
    re.IGNORECASE,
)
_GONE = re.compile(
    r"\b(?:mailbox|account|user|recipient|inbox|address|domain)\b[\w\s,'-]{0,60}?"
    r"\b(?:disabled|inactive|deactivated|suspended|closed|unavailable|no longer)\b"
    r"|(?:host or )?domain name not found|domain does not exist|no such domain|nxdomain"
    r"|no (?:mailbox|such person|user) (?:here )?by that name|not a valid (?:user|mailbox|recipient)"
    r"|(?:is|are)n't listed in|not listed in|recipient (?:address )?rejected: access denied",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"over ?quota|quota (?:is )?(?:exceeded|full)|exceed\w* (?:\w+ ){0,3}(?:quota|storage)|out of storage"
    r"|(?:mail|in)?box(?: \w+){0,3} full|insufficient (?:disk|system )?(?:space|storage)"
    r"|too (?:quickly|many messages)|\brate\b",
    re.IGNORECASE,
)
_MESSAGE_OR_US = re.compile(
    r"too (?:large|big|long)|size limit|max\w* (?:message )?size|message size|content|attachment|virus|malware"
    r"|spam|junk|unsolicited|block(?:ed|list)|black ?list|deny ?list|dnsbl|\brbl\b|spamhaus|policy|reputation"
    r"|\bspf\b|\bdkim\b|dmarc|authenticat|not permitted|relay",
    re.IGNORECASE,
)
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# The reader's own address stands in most reports, and says nothing.
_ADDRESS = re.compile(r"[^\s<>]{1,320}@[^\s<>]{1,320}")
_MOST_READ = 2000  # characters of what a report says

_LATER = 4  # the first figure
# The subject, second figure of an enhanced code.
_OTHER, _ADDRESSING, _MAILBOX, _SYSTEM, _ROUTE, _PROTOCOL, _CONTENT, _POLICY = range(8)

BY_MAIL = "mail"  # the source of events that mails bring


class EventKind(StrEnum):
    """What a report means; see the top of this module."""

    HARD = "hard"
    EXPIRED = "expired"
    SOFT = "soft"
    OURS = "ours"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    NOTHING = "nothing"


_CODES = {
    EventKind.EXPIRED: [(_ROUTE, 7), (_ROUTE, 300)],
    EventKind.SOFT: [(_MAILBOX, 2), (_MAILBOX, 4)],  # full; a list that could not be expanded
    EventKind.OURS: [
        *((_ADDRESSING, 7), (_ADDRESSING, 8), (_ADDRESSING, 9)),  # the sender's address
        *((_MAILBOX, 3), (_SYSTEM, 4)),  # longer than this mailbox, or this server, takes
    ],
    EventKind.HARD: [
        *((_ADDRESSING, 1), (_ADDRESSING, 2), (_ADDRESSING, 3)),  # no such mailbox, no such domain, no address
        (_ADDRESSING, 6),  # moved
        (_ADDRESSING, 10),  # a domain that takes no mail; Exchange: no such recipient
        *((_MAILBOX, 1), (_POLICY, 13)),  # disabled
        *((_ROUTE, 4), (_ROUTE, 310)),  # no route: the domain is not there
        *((_POLICY, 17), (_POLICY, 18)),  # another owner
    ],
}
_BY_CODE = {code: kind for kind, codes in _CODES.items() for code in codes}

# A mail that came back for one of these reasons did not reach its reader.
BOUNCES = (EventKind.HARD, EventKind.EXPIRED, EventKind.SOFT)


class FoundBy(StrEnum):
    """How it was found out whose a report is. By all but an address alone it is certain."""

    ENVELOPE = "envelope"  # the delivery's own address, to which it came back (VERP)
    HEADER = "header"  # our own header in the mail that came back
    MESSAGE_ID = "message_id"
    TOKEN = "token"  # noqa: S105 (of a reader who leaves by mail)
    SERVICE = "service"  # a service that we trust names an address that a mail went to lately
    ADDRESS = "address"  # the report names an address that a mail went to lately
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent:
    """What a report says of one reader.

    Attributes:
        id: what tells it from every other one: it counts once, however often it comes.
        source: where it comes from: `mail`, or the service whose webhook brought it.
        kind: what it means.
        delivery_key: the delivery that it is about, as far as our own signature shows it.
        subscriber_key: the reader, likewise.
        found_by: what shows that.
        is_vouched: a service that we trust has signed it, so the address that it names is to be believed.
        is_forged: it bears a signature of ours that isn't one.
        address: whom it names, or nothing.
        status: the enhanced code, or nothing.
        text: what it says, for people.
        once: a token of the service that may be used for no other event, or nothing.
    """

    id: str
    source: str
    kind: EventKind
    delivery_key: int | None = None
    subscriber_key: int | None = None
    found_by: FoundBy = FoundBy.NOTHING
    is_vouched: bool = False
    is_forged: bool = False
    address: str = ""
    status: str = ""
    text: str = ""
    once: str = ""


class Outcome(StrEnum):
    """What an event came to."""

    SUPPRESSED = "suppressed"
    DEAD = "dead"  # called dead; suppressed unless its provider may be mistaken
    COUNTED = "counted"
    LEFT = "left"
    IGNORED = "ignored"
    UNKNOWN = "unknown"  # nobody's
    FORGED = "forged"
    KNOWN = "known"  # it came before


class Fate(NamedTuple):
    """What became of a mail that a relay took: whether it came back, and whether our own signature shows that."""

    came_back: bool
    is_proven: bool = False


def outcome_of(kind: EventKind, *, is_proven: bool, fates: Sequence[Fate]) -> Outcome:
    """Return what follows from an event.

    Args:
        kind: what it means.
        is_proven: our own signature, or that of a service, shows whose it is; else an address alone does. Then it
            counts like a soft one: anybody could have written it.
        fates: of the reader's latest mails, newest first, that of this event included.
    """
    match kind:
        case EventKind.COMPLAINT:
            return Outcome.SUPPRESSED
        case EventKind.UNSUBSCRIBE:
            return Outcome.LEFT
        case EventKind.OURS | EventKind.NOTHING:
            return Outcome.IGNORED
        case EventKind.HARD | EventKind.EXPIRED if is_proven:
            return Outcome.DEAD
    return Outcome.DEAD if _are_enough(fates) else Outcome.COUNTED


def _are_enough(fates: Sequence[Fate]) -> bool:
    """Return whether so many mails came back in a row, the newest of these last, that the address is dead."""
    came_back = [place for place, fate in enumerate(fates) if fate.came_back]
    if not came_back:
        return False
    in_a_row = []
    for fate in fates[came_back[0] :]:
        if not fate.came_back:
            break
        in_a_row.append(fate)
    return len(in_a_row) >= IN_A_ROW and any(fate.is_proven for fate in in_a_row)


def kind_of_failure(status: str, text: str) -> EventKind:
    """Return what it means that a mail could not be delivered, for good.

    Args:
        status: the enhanced code as the report gives it (RFC 3463), or nothing.
        text: what was said, by the server that refused it or by the one that gave up.
    """
    said = text[:_MOST_READ]
    code = _code(status, said)
    words = _ADDRESS.sub(" ", said)
    if code is None:
        return _by_words(words)
    level, subject, detail = code
    kind = EventKind.OURS if subject == _CONTENT else _BY_CODE.get((subject, detail))
    if kind is not None and kind is not EventKind.HARD:
        return kind
    if level == _LATER or _FULL.search(words):
        return EventKind.SOFT
    if kind is EventKind.HARD:
        return kind
    if subject == _POLICY and not UNKNOWN_USER.search(words):
        return EventKind.OURS
    return _by_words(words)


def _code(status: str, text: str) -> tuple[int, int, int] | None:
    """Return the enhanced code that says most: of the status, or of the text where that says nothing."""
    found = [*_ENHANCED.findall(status[:50]), *_ENHANCED.findall(text)]
    codes = [(int(level), int(subject), int(detail)) for level, subject, detail in found if level != "2"]
    return next((code for code in codes if code[1:] != (_OTHER, 0)), None)


def _by_words(words: str) -> EventKind:
    if _FULL.search(words):
        return EventKind.SOFT
    if UNKNOWN_USER.search(words) or _GONE.search(words):
        return EventKind.HARD
    return EventKind.OURS if _MESSAGE_OR_US.search(words) else EventKind.SOFT
