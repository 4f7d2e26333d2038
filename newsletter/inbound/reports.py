"""What a mail that came back says: bounces (RFC 3464), complaints (RFC 5965), wishes to leave, and odd ones."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from hashlib import sha256
from typing import NamedTuple

from newsletter.core.address import Address, AddressError
from newsletter.core.bounces import BY_MAIL, EventKind, FoundBy, InboundEvent, kind_of_failure
from newsletter.core.text import one_line
from newsletter.core.tokens import DELIVERY_HEADER, Links
from newsletter.inbound import mails
from newsletter.inbound.senders import Traces, leaver, whose

_MOST_RECIPIENTS = 50  # of one report
_MOST_TEXT = 500  # characters that are kept of what was said
_TO = ("Delivered-To", "X-Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")
_OWN = re.compile(rf"^[>\s]{{0,4}}{DELIVERY_HEADER}:[ \t]*([\w-]{{18,40}})".encode(), re.IGNORECASE | re.MULTILINE)
_MESSAGE_ID = re.compile(rb"^[>\s]{0,4}Message-ID:\s{0,4}(<[^\s<>]{1,200}>)", re.IGNORECASE | re.MULTILINE)
_SENT_BY_SERVERS = re.compile(
    r"mailer-?daemon|postmaster|mail ?delivery|microsoftexchange|\bmdaemon\b", re.IGNORECASE
)
_AUTO_REPLY = re.compile(
    r"^(?:re: )?(?:out of (?:the )?office|auto(?:matic|mated)?[ -]?(?:reply|response|antwort)"
    r"|on (?:vacation|leave)|abwesen|absence"
    r"|r[ée]ponse automatique|respuesta autom|risposta automatica|自動|自动)",
    re.IGNORECASE,
)
_BY_MACHINES = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-From", "X-AutoReply-From")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_ODD_BYTES, _ODD_LINE = 64 * 1024, 1000  # of what the detectors of odd bounces are given

# What a feedback report says (RFC 5965, 7.3; RFC 6430); all others are complaints.
_NO_COMPLAINTS = {"not-spam": EventKind.NOTHING, "auth-failure": EventKind.NOTHING, "virus": EventKind.OURS}
_FAILED = ("fail", "error")  # "error" is OpenSMTPD's


@dataclass(frozen=True, slots=True)
class ReadMail:
    """A mail that was read: what it says of readers, or why it could not be read."""

    events: tuple[InboundEvent, ...]
    problem: str = ""


class _Said(NamedTuple):
    """What a report says of one recipient."""

    kind: EventKind
    address: str = ""
    status: str = ""
    text: str = ""


def read_mail(raw: bytes, links: Links) -> ReadMail:
    """Return what a mail says. It takes little time, whatever the mail is.

    Args:
        raw: the mail, or its first `mails.MOST_BYTES`.
        links: reads the marks and tokens in it.
    """
    content = mails.bounded(raw)
    event = InboundEvent(
        id=f"{BY_MAIL}:{sha256(content).hexdigest()[:40]}", source=BY_MAIL, kind=EventKind.NOTHING
    )
    try:
        message = mails.parsed(content)
        return ReadMail(tuple(_events(message, content, links, event)))
    except mails.UnreadableMailError as error:
        return ReadMail((event,), str(error))


def _events(message: Message, content: bytes, links: Links, blank: InboundEvent) -> Iterator[InboundEvent]:
    """Yield the events of a mail, at least one: `blank` with what is known."""
    said = _reported(message)
    if not said and not _is_answer(message):
        key = leaver(links, (mails.header(message, "Subject"), *mails.headers(message, *_TO)))
        if key is not None:
            yield replace(blank, kind=EventKind.UNSUBSCRIBE, subscriber_key=key, found_by=FoundBy.TOKEN)
            return
    found = whose(links, _traces(message, content))
    if not said and not _is_reply(message) and (found.delivery_key or _is_of_a_server(message)):
        said = _odd(message, content)
    for number, one in enumerate(said[:_MOST_RECIPIENTS] or [_Said(EventKind.NOTHING)]):
        yield replace(
            blank,
            id=f"{blank.id}:{number}",
            kind=one.kind,
            delivery_key=found.delivery_key,
            found_by=found.found_by,
            is_forged=found.is_forged and bool(said),
            address=_address(one.address),
            status=one.status[:20],
            text=one_line(one.text, _MOST_TEXT),
        )


def _reported(message: Message) -> list[_Said]:
    """Return what the parts of a report say: of delivery, or of feedback."""
    found: list[_Said] = []
    for part in mails.parts(message):
        match part.get_content_type():
            case "message/delivery-status" | "message/global-delivery-status":
                found += _delivery_status(part, message)
            case "message/feedback-report":
                found.append(_feedback(part))
    return found or _complaint_of_outlook(message)


def _delivery_status(part: Message, message: Message) -> Iterator[_Said]:
    """Yield what a delivery status says of each recipient (RFC 3464, 2.3)."""
    for block in mails.groups_of(part)[: _MOST_RECIPIENTS * 2]:
        action = mails.header(block, "Action").lower()
        address = mails.header(block, "Original-Recipient") or mails.header(block, "Final-Recipient")
        if not action:
            continue  # the fields of the whole message
        status = mails.header(block, "Status").partition(" ")[0]
        text = mails.header(block, "Diagnostic-Code").partition(";")[2].strip() or mails.text_of(message)
        is_failure = action.startswith(_FAILED)
        kind = kind_of_failure(status, text) if is_failure else EventKind.NOTHING
        yield _Said(kind, address.rpartition(";")[2], status, text)


def _feedback(part: Message) -> _Said:
    """Return what a feedback report says (RFC 5965, 3.1)."""
    fields = mails.fields_of(part)
    kind = _NO_COMPLAINTS.get(mails.header(fields, "Feedback-Type").lower(), EventKind.COMPLAINT)
    address = mails.header(fields, "Original-Rcpt-To") or mails.header(fields, "Removal-Recipient")
    return _Said(kind, address, "", f"feedback: {mails.header(fields, 'Feedback-Type')}")


def _complaint_of_outlook(message: Message) -> list[_Said]:
    """Return the complaint that Outlook.com sends in no standard form: the mail, with its recipient in a field."""
    for head in mails.returned(message):
        if address := mails.header(head, "X-HmXmrOriginalRecipient"):
            return [_Said(EventKind.COMPLAINT, address, "", "junk mail report of Outlook.com")]
    return []


def _odd(message: Message, content: bytes) -> list[_Said]:
    """Return what a bounce of no standard form says: by Exim's header, or by what is known of many servers."""
    text = mails.text_of(message)
    if failed := mails.header(message, "X-Failed-Recipients"):
        return [_Said(kind_of_failure("", text), one, "", text) for one in failed.split(",")]
    temporary, permanent = _detected(content)
    return [
        *(_Said(kind_of_failure("", text), one, "", text) for one in sorted(permanent)),
        *(_Said(EventKind.NOTHING, one, "", text) for one in sorted(temporary - permanent)),
    ]


def _detected(content: bytes) -> tuple[set[str], set[str]]:
    """Return the addresses that flufl.bounce finds to have failed for a while, and for good."""
    from flufl.bounce import all_failures

    logging.getLogger("flufl.bounce").disabled = True  # it logs each attempt, and with a traceback what fails
    lines = content[:_ODD_BYTES].split(b"\n")
    try:
        found = all_failures(mails.parsed(b"\n".join(line[:_ODD_LINE] for line in lines)))
    except Exception:  # noqa: BLE001 (of its guesses about what strangers wrote, any may fail in any way)
        return set(), set()
    temporary, permanent = ({one.decode("ascii", "replace") for one in some} for some in found)
    return temporary, permanent


def _traces(message: Message, content: bytes) -> Traces:
    """Return where marks may stand: in the head, in what is returned, or, of odd bounces, anywhere in the text."""
    heads = list(mails.returned(message))
    feedback = [part for part in mails.parts(message) if part.get_content_type() == "message/feedback-report"]
    senders = [mails.headers(mails.fields_of(part), "Original-Mail-From") for part in feedback]
    return Traces(
        addresses=(
            *mails.headers(message, *_TO),
            *(address for some in senders for address in some),
            *(address for head in heads for address in mails.headers(head, "Return-Path", "X-Envelope-From")),
        ),
        marks=(
            *(mark for head in heads for mark in mails.headers(head, DELIVERY_HEADER)),
            *(found.decode() for found in _OWN.findall(content)[:5]),
        ),
        message_ids=(
            *(one for head in heads for one in mails.headers(head, "Message-ID")),
            *(found.decode("ascii", "replace") for found in _MESSAGE_ID.findall(content)[:10]),
        ),
    )


def _is_answer(message: Message) -> bool:
    """Return whether a machine answers a mail (RFC 3834). One that leaves for its reader does not."""
    return mails.header(message, "Auto-Submitted").lower().startswith("auto-replied")


def _is_reply(message: Message) -> bool:
    """Return whether a mail is the answer of a machine in somebody's place, such as an out-of-office notice."""
    said = mails.header(message, "Auto-Submitted").lower()
    return (
        said.startswith(("auto-replied; vacation", "auto-notified"))
        or any(mails.header(message, name) for name in _BY_MACHINES)
        or mails.header(message, "Precedence").lower() == "auto_reply"
        or _AUTO_REPLY.match(mails.header(message, "Subject")) is not None
    )


def _is_of_a_server(message: Message) -> bool:
    """Return whether a mail server seems to have written a mail."""
    return mails.header(message, "Return-Path") == "<>" or bool(
        _SENT_BY_SERVERS.search(mails.header(message, "From"))
    )


def _address(text: str) -> str:
    """Return the bare address that a report names, or nothing if it is none (RFC 3461, 4: xtext)."""
    bare = _XTEXT.sub(lambda found: chr(int(found[1], 16)), text.strip()) if "+2B" in text else text.strip()
    try:
        return str(Address.parse(bare.strip("<> ")))
    except AddressError:
        return ""
