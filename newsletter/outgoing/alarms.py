"""Operators who are told of alarms: by mail and in a chat. Webhooks are told as of events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from newsletter.core.alarms import MAIL, OVER, WEBHOOK
from newsletter.core.delivery import DeliveryState, message_id
from newsletter.core.errors import NewsletterError, RenderError
from newsletter.core.newsletter_list import Masthead
from newsletter.core.notices import Notice
from newsletter.core.posts import Post
from newsletter.outgoing.chat import Chat
from newsletter.outgoing.receiver import NotTakenError, Receiver
from newsletter.ports import Mailer
from newsletter.render.issue.catalogues import SOURCE
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.addresses import Mailbox, wire_address
from newsletter.render.mime.single import single_message

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer

# After each try that failed: what an operator is to hear of is tried often, and for three days.
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, *[240] * 16))

# Returns the masthead of a list, or one of another list where there is none of that name; None: there is no list.
Mastheads = Callable[[str], Awaitable[Masthead | None]]


@dataclass(slots=True, kw_only=True)
class AlarmMail(Receiver):
    """Mails the operator.

    Attributes:
        to: the operator's address.
        templates: those of the operator.
        packaged: without the operator's own templates, which may be what is wrong.
        mailer: sends the mail.
        signer: signs it.
        masthead_of: in whose name it is sent.
    """

    to: str
    templates: TemplateRenderer
    packaged: TemplateRenderer
    mailer: Mailer
    signer: Signer | None
    masthead_of: Mastheads
    name: str = MAIL
    pauses: Sequence[timedelta] = PAUSES
    takes_twice: bool = True  # better twice than never; its Message-ID is the same

    @override
    async def tell(self, notice: Notice) -> None:
        told = json.loads(notice.data)
        try:
            masthead = await self._masthead(told["list"])
            raw = await asyncio.to_thread(self._mail, masthead, notice, told)
            sender = Mailbox.parse(masthead.sender).address
            outcome = await self.mailer.send(sender, wire_address(self.to), raw)
        except NewsletterError as error:
            raise NotTakenError(str(error)) from error
        if outcome.state is not DeliveryState.SENT:
            raise NotTakenError(f"{outcome.relay} answered {outcome.code} {outcome.text}")

    async def _masthead(self, list_name: str | None) -> Masthead:
        """Return in whose name an alarm is mailed: a list's, or the program's in the name of a list."""
        found = await self.masthead_of(list_name or "")
        if found is None:  # no list has ever been right: all that is known is the operator's own address
            return Masthead(list="newsletter", title="Newsletter", sender=f"Newsletter <{self.to}>")
        found = replace(found, language=SOURCE)  # what is said to operators is English
        return found if list_name else replace(found, title="Newsletter")

    def _mail(self, masthead: Masthead, notice: Notice, told: Mapping[str, Any]) -> bytes:
        details = [("Reason", told["reason"]), ("Since", _moment(told["since"]))]
        if told["over_at"]:
            details.append(("Until", _moment(told["over_at"])))
        values = {
            "headline": told["headline"],
            "problem": told["problem"],
            "details": details,
            "advice": "" if told["over_at"] else told["advice"],
            "is_over": notice.kind == OVER,
        }
        try:
            content = self.templates.mail("alarm", {"masthead": masthead, **values})
        except RenderError:
            content = self.packaged.mail("alarm", {"masthead": replace(masthead, theme={}), **values})
        domain = Mailbox.parse(masthead.sender).domain
        return single_message(
            sender=masthead.sender,
            to=Mailbox("", self.to),
            content=content,
            date=notice.at,
            message_id=message_id(notice.id, notice.at.date(), self.to, domain),
            signer=self.signer,
        )


class AlarmChat(Receiver):
    """Posts alarms to a chat service."""

    name = WEBHOOK
    pauses: Sequence[timedelta] = PAUSES
    takes_twice = True

    def __init__(self, url: str) -> None:
        """Take the service's URL as apprise reads it."""
        self._url = url

    @override
    async def tell(self, notice: Notice) -> None:
        if problem := await asyncio.to_thread(self._post, notice, json.loads(notice.data)):
            raise NotTakenError(problem)

    def _post(self, notice: Notice, told: Mapping[str, Any]) -> str:
        headline = told["headline"][:1].upper() + told["headline"][1:]
        title = f"{'Resolved' if notice.kind == OVER else 'Alarm'}: {headline}"
        lines = [told["reason"]] if notice.kind == OVER else [told["problem"], told["reason"], told["advice"]]
        try:
            return Chat(self._url, is_one=False).say(Post(title=title, body="\n\n".join(lines)[:1500]))
        except ValueError as error:
            return str(error)


def _moment(text: str) -> str:
    """Return a moment (ISO 8601, UTC) as people read it."""
    return f"{text[:10]} {text[11:16]} UTC"
