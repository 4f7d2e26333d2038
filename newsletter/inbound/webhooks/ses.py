"""Amazon SES, by way of SNS (https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html)."""

from __future__ import annotations

from newsletter.core.bounces import EventKind, InboundEvent, kind_of_failure
from newsletter.core.tokens import DELIVERY_HEADER, Links
from newsletter.inbound.senders import Traces
from newsletter.inbound.webhooks.message import Fields, HookMessage, about, event_of
from newsletter.inbound.webhooks.sns import Sns

_OF_CONTENT = {"MessageTooLarge", "ContentRejected", "AttachmentRejected"}
_NO_COMPLAINTS = {"not-spam", "auth-failure", "virus"}
_EXPIRED = "CustomTimeoutExceeded"  # the operator's own limit of time
_OUT_OF_OFFICE = "ooto"


class Ses:
    """Amazon SES, with what checks messages of SNS."""

    name = "ses"

    def __init__(self, links: Links, sns: Sns) -> None:
        self._links, self._sns = links, sns

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says; a subscription is confirmed."""
        envelope = message.fields()
        await self._sns.checked(envelope, message.now)
        if envelope.raw("Type") == "SubscriptionConfirmation":
            await self._sns.confirm(envelope)
            return []
        if not envelope.raw("Message").lstrip().startswith("{"):
            return []  # SES greets a new topic in words
        fields = Fields.parse(envelope.raw("Message"))
        number = envelope.raw("MessageId")
        return [
            about(event, self._links, _traces(fields.at("mail")))
            for event in (*_bounces(fields, number), *_complaints(fields, number))
        ]


def _bounces(fields: Fields, number: str) -> list[InboundEvent]:
    """Return the events of a bounce, one for each recipient; none, if it is another notification."""
    if _type(fields) != "Bounce":
        return []
    bounce = fields.at("bounce")
    number = bounce.raw("feedbackId") or number
    return [
        event_of(
            Ses.name,
            f"{number} {one.raw('emailAddress')}",
            _kind(bounce, one),
            address=one.text("emailAddress"),
            status=one.text("status"),
            text=one.text("diagnosticCode").removeprefix("smtp; ")
            or f"{bounce.text('bounceType')} {bounce.text('bounceSubType')}",
        )
        for one in bounce.each("bouncedRecipients")
    ]


def _kind(bounce: Fields, recipient: Fields) -> EventKind:
    """Return what a bounce means for one of its recipients."""
    kind, of = bounce.raw("bounceType"), bounce.raw("bounceSubType")
    status, said = recipient.text("status"), recipient.text("diagnosticCode")
    if of in _OF_CONTENT:
        return EventKind.OURS
    by_words = kind_of_failure(status, said)
    if kind == "Permanent":  # its subtype `Suppressed` stands for an address that bounced before
        return by_words if by_words is EventKind.OURS else EventKind.HARD
    if of == "MailboxFull":
        return EventKind.SOFT
    if of == _EXPIRED:
        return EventKind.EXPIRED
    if not (status or said) or _OUT_OF_OFFICE in f"{of} {recipient.raw('emailAddress')}":
        return EventKind.NOTHING  # an answer by a machine: no server has refused anything
    return EventKind.SOFT if by_words is EventKind.HARD else by_words


def _complaints(fields: Fields, number: str) -> list[InboundEvent]:
    """Return the events of a complaint; none, if it is another notification."""
    if _type(fields) != "Complaint":
        return []
    complaint = fields.at("complaint")
    said = complaint.text("complaintFeedbackType")
    kind = EventKind.NOTHING if said in _NO_COMPLAINTS else EventKind.COMPLAINT
    number = complaint.raw("feedbackId") or number
    return [
        event_of(
            Ses.name,
            f"{number} {one.raw('emailAddress')}",
            kind,
            address=one.text("emailAddress"),
            text=f"feedback: {said or 'none given'}",
        )
        for one in complaint.each("complainedRecipients")
    ]


def _type(fields: Fields) -> str:
    """Return which notification it is; events of a configuration set name it otherwise."""
    return fields.raw("notificationType") or fields.raw("eventType")


def _traces(mail: Fields) -> Traces:
    """Return where marks may stand: in the envelope sender, and in the headers if the operator has them sent."""
    named = [(one.raw("name").lower(), one.text("value")) for one in mail.each("headers")]
    return Traces(
        addresses=(mail.text("source"),),
        marks=tuple(value for name, value in named if name == DELIVERY_HEADER.lower()),
        message_ids=(
            mail.at("commonHeaders").text("messageId"),
            *(value for name, value in named if name == "message-id"),
        ),
    )
