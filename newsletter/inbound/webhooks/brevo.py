"""Brevo (https://developers.brevo.com/docs/transactional-webhooks): it sends a token, or logs in with it."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error

from newsletter.core.bounces import EventKind, InboundEvent, kind_of_failure
from newsletter.core.tokens import Links
from newsletter.inbound.senders import Traces
from newsletter.inbound.webhooks.message import Fields, HookMessage, about, event_of, same
from newsletter.ports import ForgedError

_EVENTS = {
    "hard_bounce": EventKind.HARD,
    "invalid_email": EventKind.HARD,
    "spam": EventKind.COMPLAINT,
    "complaint": EventKind.COMPLAINT,
    "unsubscribed": EventKind.UNSUBSCRIBE,
    "blocked": EventKind.OURS,
    "error": EventKind.OURS,
    "deferred": EventKind.NOTHING,
}


class Brevo:
    """Brevo, with the token of its webhook."""

    name = "brevo"

    def __init__(self, links: Links, token: str) -> None:
        self._links, self._token = links, token

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says; it may be a list of events."""
        if not any(same(one, self._token) for one in _tokens(message.headers.get("authorization", ""))):
            raise ForgedError("the token is another one")
        body = message.body.strip()
        batch = (
            Fields.parse(b'{"events":' + body + b"}").each("events") if body[:1] == b"[" else [message.fields()]
        )
        events = [(fields, _kind(fields)) for fields in batch]
        return [self._event(fields, kind) for fields, kind in events if kind is not None]

    def _event(self, fields: Fields, kind: EventKind) -> InboundEvent:
        """Return an event. Its `id` is the webhook's, so what tells it from others is all that it says."""
        said = ("event", "message-id", "email", "ts_event", "ts_epoch", "ts")
        event = event_of(
            self.name,
            " ".join(fields.raw(name) for name in said),
            kind,
            address=fields.text("email"),
            text=fields.text("reason"),
        )
        return about(event, self._links, Traces(message_ids=(fields.text("message-id"),)))


def _kind(fields: Fields) -> EventKind | None:
    """Return what an event means, or None where it is about nothing that came back."""
    event = fields.raw("event")
    if event == "soft_bounce":
        kind = kind_of_failure("", fields.text("reason"))
        return EventKind.SOFT if kind is EventKind.HARD else kind
    return _EVENTS.get(event)


def _tokens(authorization: str) -> list[str]:
    """Return the token of a header `Authorization: Bearer`, or name and password of `Basic`."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() != "basic":
        return [value.strip()]
    try:
        name, _, password = b64decode(value, validate=True).decode("utf-8", "replace").partition(":")
    except (Error, ValueError):
        return [""]
    return [password, f"{name}:{password}"]
