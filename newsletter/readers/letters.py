"""Letters by templates, over the relays that deliver issues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from typing_extensions import override

from newsletter.core.delivery import Outcome, message_id
from newsletter.core.newsletter_list import Masthead
from newsletter.ports import LetterKind, Letters, Mailer
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime import headers
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.single import single_message

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TemplateLetters(Letters):
    """Letters as the templates of their kinds say."""

    templates: TemplateRenderer
    mailer: Mailer
    signer: Signer | None

    @override
    async def send(
        self,
        kind: LetterKind,
        masthead: Masthead,
        to: tuple[str, str],
        values: Mapping[str, Any],
        *,
        about: str,
        now: datetime,
        way_out: str = "",
    ) -> Outcome:
        sender, (name, address) = Mailbox.parse(masthead.sender), to
        raw = single_message(
            sender=masthead.sender,
            to=Mailbox(name, address),
            content=self.templates.mail(kind, {"masthead": masthead, **values}),
            date=now,
            message_id=message_id(f"{masthead.list} {kind} {about}", now.date(), address, sender.domain),
            more=_more(masthead, way_out),
            signer=self.signer,
        )
        # What comes back goes where the list reads it. That address is no delivery's, so it counts for nobody.
        returned_to = wire_address(masthead.bounces_to) if masthead.bounces_to else sender.address
        outcome = await self.mailer.send(returned_to, wire_address(address), raw)
        log.info("letter", list=masthead.list, kind=kind, about=about, outcome=outcome.state)
        return outcome


def _more(masthead: Masthead, way_out: str) -> bytes:
    """Return the fields of a letter that an alarm has not."""
    fields = []
    if masthead.reply_to:
        fields.append(headers.mailbox("Reply-To", Mailbox.parse(masthead.reply_to)))
    if way_out:
        fields.append(headers.raw("List-Unsubscribe", f"<{way_out}>"))
        if not way_out.startswith("mailto:"):
            fields.append(headers.raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return b"".join(fields)
