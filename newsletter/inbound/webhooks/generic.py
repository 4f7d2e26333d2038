"""Any program that can sign a body: `docs/inbound.md` says how."""

from __future__ import annotations

import hashlib
import hmac

from newsletter.core.bounces import EventKind, InboundEvent, kind_of_failure
from newsletter.core.tokens import Links
from newsletter.inbound.senders import Traces
from newsletter.inbound.webhooks.message import Fields, HookMessage, about, event_of, same
from newsletter.ports import ForgedError

_SIGNATURE = "x-newsletter-signature"
_KINDS = {
    "hard": EventKind.HARD,
    "soft": EventKind.SOFT,
    "complaint": EventKind.COMPLAINT,
    "unsubscribe": EventKind.UNSUBSCRIBE,
    "nothing": EventKind.NOTHING,
}
_BY_WORDS = "bounce"  # what it means is found out from its status and text


class Generic:
    """A program of the operator's own, with the secret that it signs with."""

    name = "generic"

    def __init__(self, links: Links, secret: str) -> None:
        self._links, self._secret = links, secret

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says; raises ValueError, and takes nothing, if one of its events is wrong."""
        mac = hmac.new(self._secret.encode(), message.body, hashlib.sha256).hexdigest()
        if not same(message.headers.get(_SIGNATURE, "").lower(), f"sha256={mac}"):
            raise ForgedError("the signature is not by the secret")
        fields = message.fields()
        return [self._event(number, one) for number, one in enumerate(fields.each("events"), start=1)]

    def _event(self, place: int, fields: Fields) -> InboundEvent:
        kind, status, text = fields.raw("kind"), fields.text("status"), fields.text("text")
        if not fields.raw("id"):
            raise ValueError(f"event {place}: id is missing: it tells the event from all others")
        if kind not in _KINDS and kind != _BY_WORDS:
            raise ValueError(f"event {place}: kind is none of {', '.join((_BY_WORDS, *_KINDS))}")
        event = event_of(
            self.name,
            fields.raw("id"),
            _KINDS[kind] if kind in _KINDS else kind_of_failure(status, text),
            address=fields.text("address"),
            status=status,
            text=text,
        )
        traces = Traces(
            addresses=(fields.text("envelope_sender"),),
            marks=(fields.text("delivery"),),
            message_ids=(fields.text("message_id"),),
        )
        return about(event, self._links, traces)
