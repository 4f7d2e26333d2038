"""A mail to oneself: sent, read back, and compared with what was sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from newsletter.core.delivery import DeliveryState
from newsletter.core.diagnosis import Diagnosis, fail, ok, warn
from newsletter.core.errors import InboundError, RelayError
from newsletter.core.text import one_line
from newsletter.operations.doctor.examination import failed
from newsletter.operations.doctor.trial_mail import TrialMail
from newsletter.ports import Mailer
from newsletter.ports.inbox import Inbox
from newsletter.render.mime.signing import SigningKey
from newsletter.render.mime.verifying import changed_fields, signing_domains, verified

_CHECK = "test-mail"
_RESULT = re.compile(r"\b(spf|dkim|dmarc)=([a-z]+)")
_PASSING = frozenset({"pass", "none", "neutral", "bestguesspass"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Sends a mail and reads it back.

    Attributes:
        mailer: sends it.
        inbox: where it is read; None: the operator reads it.
        domain: that we sign for.
        keys: that we sign with.
        patience: for how many seconds it is looked for.
        every: seconds between two looks.
    """

    mailer: Mailer
    inbox: Inbox | None
    domain: str
    keys: Sequence[SigningKey]
    patience: float = 60.0
    every: float = 2.0

    async def made(self, mail: TrialMail) -> list[Diagnosis]:
        """Return what became of a mail."""
        try:
            outcome = await self.mailer.send(mail.sender, mail.recipient, mail.raw)
        except RelayError as error:
            return [failed(_CHECK, str(error))]
        if outcome.state is not DeliveryState.SENT:
            says = f"{outcome.relay} does not take it: {outcome.code} {one_line(outcome.text, 200)}"
            return [fail(_CHECK, says, "see what the answer says of sender, recipient or content")]
        if self.inbox is None:
            return [ok(_CHECK, f"{outcome.relay} took a mail to {mail.recipient}"), _look_yourself(mail)]
        try:
            arrived = await self._arrived(self.inbox, mail.word)
        except InboundError as error:
            return [failed(_CHECK, str(error))]
        if arrived is None:
            says = f"{outcome.relay} took a mail to {mail.recipient}, but it did not come to {self.inbox.name}"
            do = f"see that this mailbox gets mail for {mail.recipient}; look for {mail.word!r}, also among spam"
            return [fail(_CHECK, f"{says} within {self.patience:g} seconds", do)]
        return [
            ok(_CHECK, f"{outcome.relay} took a mail to {mail.recipient}, and it arrived"),
            *self.changes(mail, arrived),
        ]

    async def _arrived(self, inbox: Inbox, word: str) -> bytes | None:
        for _ in range(max(1, round(self.patience / self.every))):
            if found := await inbox.find(word):
                return found
            await asyncio.sleep(self.every)
        return None

    def changes(self, mail: TrialMail, arrived: bytes) -> list[Diagnosis]:
        """Return what a mail that arrived says of its way."""
        head = BytesHeaderParser().parsebytes(arrived)
        return [
            _id(mail, head),
            *_envelope(mail, head),
            *(self._signature(mail, arrived, key) for key in self.keys),
            *([] if self.keys else [_of_relay(mail, arrived)]),
            *_results(head),
        ]

    def _signature(self, mail: TrialMail, arrived: bytes, key: SigningKey) -> Diagnosis:
        found = verified(arrived, self.domain, key)
        name = f"our signature ({key.algorithm})"
        changed = ", ".join(changed_fields(mail.raw, arrived)) or "a field that was added"
        if not found.is_there:
            return fail("signature", f"{name} was removed", "let the relay leave DKIM-Signature alone")
        if found.body and found.fields:
            return ok("signature", f"{name} holds: body and signed fields are as they were")
        what = " and ".join([*([] if found.body else ["the body"]), *([] if found.fields else [changed])])
        do = "switch off what changes mails (footers, click tracking), or leave signing to the relay"
        return fail("signature", f"{name} is broken: the relay changed {what}", do)


def _id(mail: TrialMail, head: Message) -> Diagnosis:
    arrived = one_line(str(head.get("Message-ID", "")), 200)
    if arrived == mail.id:
        return ok("message-id", "arrived as it was sent")
    do = "set NEWSLETTER_DELIVERY__UNCERTAIN=hold: if a mail is sent twice, nobody sees that it is the same"
    return warn("message-id", f"the relay wrote its own: {arrived or 'none'}", do)


def _envelope(mail: TrialMail, head: Message) -> list[Diagnosis]:
    path = one_line(str(head.get("Return-Path", "")), 320).strip("<> ")
    if not path:
        return []  # not each mailbox writes it down
    if path.lower() == mail.sender.lower():
        return [ok("envelope", f"the envelope sender is ours: {path}")]
    do = "let the relay's webhook tell of bounces, as they go there (docs/inbound.md)"
    return [warn("envelope", f"the relay wrote another envelope sender: {path}", do)]


def _of_relay(mail: TrialMail, arrived: bytes) -> Diagnosis:
    """Return whether a relay signed in our place."""
    author = str(BytesHeaderParser().parsebytes(mail.raw)["From"]).rpartition("@")[2].strip("> ").lower()
    domains = [one_line(domain, 100) for domain in signing_domains(arrived)]
    if any(f".{author}".endswith(f".{domain}") or f".{domain}".endswith(f".{author}") for domain in domains):
        return ok("signature", f"the relay signs for {', '.join(domains)}")
    says = f"the relay signs for {', '.join(domains)}" if domains else "nobody signs"
    return fail("signature", f"{says}, and not for {author}", "set NEWSLETTER_DKIM__KEY_FILE, or the relay's DKIM")


def _results(head: Message) -> list[Diagnosis]:
    """Return what the receiver found, which writes it above all else (RFC 8601)."""
    results = _RESULT.findall(one_line(str(head.get("Authentication-Results", "")), 2000))
    if not results:
        return []
    said = ", ".join(f"{name}={result}" for name, result in results)
    if all(result in _PASSING for _, result in results):
        return [ok("received", f"the receiver says {said}")]
    return [fail("received", f"the receiver says {said}", "see the lines on spf, dkim and dmarc")]


def _look_yourself(mail: TrialMail) -> Diagnosis:
    says = "whether it arrives is not seen here, as NEWSLETTER_INBOUND__IMAP_HOST names no mailbox"
    do = (
        f"look for {mail.word!r} at {mail.recipient}, also among spam; its source should have spf=pass, dkim=pass "
        f"and dmarc=pass in Authentication-Results, Return-Path: <{mail.sender}> and Message-ID: {mail.id}"
    )
    return warn("received", says, do)
