"""Mailgun (https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks).

Its signature is of a time and a token alone, not of what the message says. So each token is good for one message:
whoever saw one cannot use it again.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from newsletter.core.bounces import EventKind, InboundEvent, kind_of_failure
from newsletter.core.tokens import Links
from newsletter.inbound.senders import Traces
from newsletter.inbound.webhooks.message import Fields, HookMessage, about, event_of, moment, same
from newsletter.ports import ForgedError

# It tries for eight hours. Tokens are kept for good, so a time that is long past does no harm.
_LATEST = timedelta(hours=12)
_SUPPRESSED = {
    "suppress-bounce": EventKind.HARD,
    "suppress-complaint": EventKind.COMPLAINT,
    "suppress-unsubscribe": EventKind.UNSUBSCRIBE,
}


class Mailgun:
    """Mailgun, with the key that it signs webhooks with."""

    name = "mailgun"

    def __init__(self, links: Links, key: str) -> None:
        self._links, self._key = links, key

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says."""
        fields = message.fields()
        token = self._checked(fields.at("signature"), message)
        data = fields.at("event-data")
        kind = _kind(data)
        if kind is None:
            return []
        status = data.at("delivery-status")
        event = event_of(
            self.name,
            data.raw("id") or token,
            kind,
            address=data.text("recipient"),
            status=status.text("enhanced-code"),
            text=_said(data),
            once=f"{self.name}:{token}",
        )
        traces = Traces(
            addresses=(data.at("envelope").text("sender"),),
            message_ids=(f"<{data.at('message', 'headers').text('message-id').strip('<>')}>",),
        )
        return [about(event, self._links, traces)]

    def _checked(self, signature: Fields, message: HookMessage) -> str:
        """Return the token of a signature that is right."""
        at, token = signature.raw("timestamp"), signature.raw("token")
        mac = hmac.new(self._key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
        if not token or not same(signature.raw("signature"), mac):
            raise ForgedError("the signature is not by the key")
        sent_at = moment(at)
        if sent_at is None or abs(message.now - sent_at) > _LATEST:
            raise ForgedError("it was signed at another time")
        return token


def _kind(data: Fields) -> EventKind | None:
    """Return what an event means, or None where it is about nothing that came back."""
    match data.raw("event"):
        case "complained":
            return EventKind.COMPLAINT
        case "unsubscribed":
            return EventKind.UNSUBSCRIBE
        case "failed" if data.raw("severity") == "permanent":
            if data.raw("reason") in _SUPPRESSED:
                return _SUPPRESSED[data.raw("reason")]
            return kind_of_failure(data.at("delivery-status").text("enhanced-code"), _said(data))
        case "failed":
            return EventKind.NOTHING  # it tries again
    return None


def _said(data: Fields) -> str:
    status = data.at("delivery-status")
    parts = (status.text("code"), status.text("message"), status.text("description"), data.text("reason"))
    return " ".join(part for part in parts if part)
