"""A mail that goes the way of issues' mails, with all that relays change, and to nobody but who asked for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from newsletter.core.delivery import message_id
from newsletter.core.newsletter_list import Masthead
from newsletter.core.tokens import TEST_COPY, Links
from newsletter.operations.doctor.origins import MailOrigin
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.signing import Signer
from newsletter.render.mime.single import single_message


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMail:
    """A mail, and what it is known by.

    Attributes:
        raw: its bytes.
        sender: the envelope sender.
        recipient: where it goes.
        id: its Message-ID.
        word: stands in its subject, and in that of no other mail.
    """

    raw: bytes
    sender: str
    recipient: str
    id: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialMails:
    """Makes such mails in the name of a list.

    Attributes:
        masthead: of the list.
        links: make the link to leave by, which is nobody's.
        templates: render the mail.
        signer: signs it as issues are signed.
    """

    masthead: Masthead
    links: Links
    templates: TemplateRenderer
    signer: Signer | None

    def mail(self, recipient: str, *, word: str, now: datetime) -> TrialMail:
        """Return a mail to an address.

        Args:
            recipient: the address.
            word: letters and digits chosen by chance.
            now: aware.

        Raises:
            RenderError: a template is wrong, or an address cannot stand in a header.
        """
        masthead, origin = self.masthead, MailOrigin.of(self.masthead)
        own_id = message_id(f"{masthead.list} doctor {word}", now.date(), recipient, origin.author)
        values = {
            "headline": f"test {word} of newsletter doctor",
            "problem": "This mail shows what the relay does to mails on their way.",
            "details": [("Message-ID", own_id)],
            "advice": "There is nothing to do.",
            "is_over": False,
        }
        raw = single_message(
            sender=masthead.sender,
            to=Mailbox("", recipient),
            content=self.templates.mail("alarm", {"masthead": masthead, **values}),
            date=now,
            message_id=own_id,
            more=self._list_headers(origin),
            signer=self.signer,
        )
        bounces = self.links.bounce_address(origin.envelope, TEST_COPY) if masthead.bounces_to else origin.envelope
        return TrialMail(raw=raw, sender=bounces, recipient=wire_address(recipient), id=own_id, word=word)

    def _list_headers(self, origin: MailOrigin) -> bytes:
        """Return the fields of mails of lists (RFC 2369, 2919, 8058)."""
        leave = self.links.own_links(TEST_COPY, origin.envelope).unsubscribe
        label = re.sub(r"[^a-z0-9]+", "-", self.masthead.list).strip("-") or "list"
        one_click = headers.raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
        return b"".join(
            (
                headers.raw("List-Unsubscribe", f"<{leave}>"),
                one_click if self.links.public_url else b"",
                headers.mailbox("List-Id", Mailbox(self.masthead.title, f"{label}.{origin.author}")),
                headers.raw("Precedence", "list"),
            )
        )
