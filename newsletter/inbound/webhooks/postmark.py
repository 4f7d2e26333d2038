"""Postmark (https://postmarkapp.com/developer/webhooks/webhooks-overview): it logs in by name and password."""

from __future__ import annotations

from base64 import b64encode

from newsletter.core.bounces import EventKind, InboundEvent, kind_of_failure
from newsletter.core.tokens import DELIVERY_HEADER, Links
from newsletter.inbound.senders import Traces
from newsletter.inbound.webhooks.message import Fields, HookMessage, about, event_of, same
from newsletter.ports import ForgedError

# https://postmarkapp.com/developer/api/bounce-api#bounce-types
_TYPES = {
    "HardBounce": EventKind.HARD,
    "BadEmailAddress": EventKind.HARD,
    "SpamComplaint": EventKind.COMPLAINT,
    "Unsubscribe": EventKind.UNSUBSCRIBE,
    **dict.fromkeys(("ManuallyDeactivated", "Unconfirmed"), EventKind.UNSUBSCRIBE),
    **dict.fromkeys(
        ("Blocked", "SpamNotification", "VirusNotification", "DMARCPolicy", "TemplateRenderingFailed"),
        EventKind.OURS,
    ),
    **dict.fromkeys(
        ("AutoResponder", "AddressChange", "ChallengeVerification", "Subscribe", "OpenRelayTest", "InboundError"),
        EventKind.NOTHING,
    ),
}
_REASONS = {
    "HardBounce": EventKind.HARD,
    "SpamComplaint": EventKind.COMPLAINT,
    "ManualSuppression": EventKind.UNSUBSCRIBE,
}


class Postmark:
    """Postmark, with the login that it uses, `name:password`."""

    name = "postmark"

    def __init__(self, links: Links, login: str) -> None:
        self._links = links
        self._authorization = f"Basic {b64encode(login.encode()).decode()}"

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says."""
        if not same(message.headers.get("authorization", ""), self._authorization):
            raise ForgedError("the login is another one")
        fields = message.fields()
        kind = _kind(fields)
        if kind is None:
            return []
        number = fields.raw("ID") or f"{fields.raw('MessageID')} {fields.raw('ChangedAt')}"
        event = event_of(
            self.name,
            f"{fields.raw('RecordType')} {number}",
            kind,
            address=fields.text("Email") or fields.text("Recipient"),
            text=_said(fields),
        )
        return [about(event, self._links, _traces(fields))]


def _kind(fields: Fields) -> EventKind | None:
    """Return what a message means, or None where it is about nothing that came back."""
    match fields.raw("RecordType"):
        case "SpamComplaint":
            return EventKind.COMPLAINT
        case "Bounce":
            kind = fields.raw("Type")
            return _TYPES[kind] if kind in _TYPES else _of_words(fields)
        case "SubscriptionChange" if fields.raw("SuppressionReason"):
            return _REASONS.get(fields.raw("SuppressionReason"), EventKind.NOTHING)
    return None


def _of_words(fields: Fields) -> EventKind:
    """Return what a bounce of a type means that says little, such as `Transient`: no address is dead by it."""
    kind = kind_of_failure("", _said(fields))
    return EventKind.SOFT if kind is EventKind.HARD else kind


def _said(fields: Fields) -> str:
    parts = (fields.text("Details"), fields.text("Description"), fields.text("SuppressionReason"))
    return " ".join(part for part in parts if part)


def _traces(fields: Fields) -> Traces:
    """Return where marks may stand: in the mail that came back, of which it may send the beginning."""
    lines = [line for line in fields.raw("Content")[:100_000].splitlines() if ":" in line]
    named = [(name.strip().lower(), value) for name, _, value in (line.partition(":") for line in lines)]
    return Traces(
        addresses=tuple(value for name, value in named if name in {"return-path", "to", "delivered-to"}),
        marks=tuple(value for name, value in named if name == DELIVERY_HEADER.lower()),
        message_ids=tuple(value for name, value in named if name == "message-id"),
    )
