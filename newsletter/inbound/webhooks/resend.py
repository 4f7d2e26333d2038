"""Resend (https://resend.com/docs/dashboard/webhooks/introduction): signed as Svix does."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from datetime import timedelta

from newsletter.core.bounces import EventKind, InboundEvent, kind_of_failure
from newsletter.core.errors import ConfigurationError
from newsletter.core.tokens import DELIVERY_HEADER, Links
from newsletter.core.webhook_signatures import signature
from newsletter.inbound.senders import Traces
from newsletter.inbound.webhooks.message import Fields, HookMessage, about, event_of, moment, same
from newsletter.ports import ForgedError

_LATEST = timedelta(minutes=5)  # https://docs.svix.com/receiving/verifying-payloads/how-manual


class Resend:
    """Resend, with the signing secret of its webhook, `whsec_…`."""

    name = "resend"

    def __init__(self, links: Links, secret: str) -> None:
        """Take the secret.

        Raises:
            ConfigurationError: it cannot be read.
        """
        self._links = links
        try:
            self._key = b64decode(secret.removeprefix("whsec_"), validate=True)
        except (Error, ValueError):
            raise ConfigurationError(
                "NEWSLETTER_INBOUND__WEBHOOK_RESEND_SECRET: is no signing secret: copy it from the webhook's page"
            ) from None

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says."""
        number = self._checked(message)
        fields = message.fields()
        data = fields.at("data")
        kind = _kind(fields.raw("type"), data.at("bounce"))
        if kind is None:
            return []
        named = {one.raw("name").lower(): one.text("value") for one in data.each("headers")}
        traces = Traces(
            marks=(named.get(DELIVERY_HEADER.lower(), ""),), message_ids=(named.get("message-id", ""),)
        )
        said = data.at("bounce").text("message")
        recipients = data.texts("to")
        return [
            about(event_of(self.name, f"{number} {one}", kind, address=one, text=said), self._links, traces)
            for one in recipients
        ]

    def _checked(self, message: HookMessage) -> str:
        """Return the number of a message that is signed right."""
        number, at = message.headers.get("svix-id", ""), message.headers.get("svix-timestamp", "")
        mac = signature(self._key, number, at, message.body)
        signatures = message.headers.get("svix-signature", "").split()[:10]
        if not number or not any(same(one, mac) for one in signatures):
            raise ForgedError("the signature is not by the secret")
        sent_at = moment(at)
        if sent_at is None or abs(message.now - sent_at) > _LATEST:
            raise ForgedError("it was signed at another time")
        return number


def _kind(event: str, bounce: Fields) -> EventKind | None:
    """Return what an event means, or None where it is about nothing that came back."""
    match event, bounce.raw("type").lower():
        case "email.complained", _:
            return EventKind.COMPLAINT
        case "email.delivery_delayed", _:
            return EventKind.NOTHING
        case "email.bounced", "permanent":
            kind = kind_of_failure("", bounce.text("message"))
            is_ours = kind is EventKind.OURS or bounce.raw("subType") in {"MessageRejected", "ContentRejected"}
            return EventKind.OURS if is_ours else EventKind.HARD
        case "email.bounced", _:
            kind = kind_of_failure("", bounce.text("message"))
            return EventKind.SOFT if kind is EventKind.HARD else kind
    return None
