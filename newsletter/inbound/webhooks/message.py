"""A message of a service, as its webhook brings it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Protocol

from newsletter.core.bounces import EventKind, InboundEvent
from newsletter.core.text import one_line
from newsletter.core.tokens import Links
from newsletter.inbound.senders import Traces, whose

_MOST_TEXT = 500  # characters
_MOST_ITEMS = 100  # of a list
_ID = 40  # characters of a hash


@dataclass(frozen=True, slots=True, kw_only=True)
class HookMessage:
    """A request: its headers, with names in lower case, its body, and when it came (aware)."""

    headers: Mapping[str, str]
    body: bytes
    now: datetime

    def fields(self) -> Fields:
        """Return the body as JSON.

        Raises:
            ValueError: it is no object in JSON.
        """
        return Fields.parse(self.body)


class Fields:
    """An object of JSON whose fields may be missing, or of any type."""

    def __init__(self, values: object) -> None:
        self._values: Mapping[str, Any] = values if isinstance(values, dict) else {}

    @classmethod
    def parse(cls, text: bytes | str) -> Fields:
        """Read an object; raises ValueError if it is none."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"is not JSON: {one_line(str(error), 100)}") from None
        if not isinstance(values, dict):
            raise ValueError("is no JSON object")  # noqa: TRY004 (it is about what the text says)
        return cls(values)

    def at(self, *names: str) -> Fields:
        """Return the object at a path of names; an empty one if there is none."""
        values: Any = self._values
        for name in names:
            values = values.get(name) if isinstance(values, dict) else None
        return Fields(values)

    def raw(self, name: str) -> str:
        """Return a text as it is, or nothing; a number is its digits."""
        value = self._values.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        return str(value)

    def text(self, name: str) -> str:
        """Return a text as one line, not too long, or nothing."""
        return one_line(self.raw(name), _MOST_TEXT)

    def each(self, name: str) -> list[Fields]:
        """Return the objects of a list, an object alone as one; not too many."""
        value = self._values.get(name)
        values = value if isinstance(value, list) else [value]
        return [Fields(one) for one in values[:_MOST_ITEMS] if isinstance(one, dict)]

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list, or a text alone; not too many."""
        value = self._values.get(name)
        values = value if isinstance(value, list) else [value]
        return [one_line(one, _MOST_TEXT) for one in values[:_MOST_ITEMS] if isinstance(one, str)]


class Service(Protocol):
    """A service, set up with what it signs with."""

    name: str

    async def read(self, message: HookMessage) -> list[InboundEvent]:
        """Return what a message says; raises as `newsletter.ports.Hooks.read` does."""
        ...


def about(event: InboundEvent, links: Links, traces: Traces) -> InboundEvent:
    """Return an event of a service with whose it is: by our own marks, or else by the address that it names."""
    found = whose(links, traces)
    return replace(event, delivery_key=found.delivery_key, found_by=found.found_by, is_vouched=True)


def event_of(
    source: str,
    number: str,
    kind: EventKind,
    *,
    address: str = "",
    status: str = "",
    text: str = "",
    once: str = "",
) -> InboundEvent:
    """Return an event that is not anybody's yet.

    Args:
        source: the name of the service.
        number: what tells the event from all others of the service.
        kind: what it means.
        address: whom it names.
        status: see `InboundEvent`, as for `text` and `once`.
        text: likewise.
        once: likewise.
    """
    # A hash: it may hold an address, which would be kept beyond the reader.
    return InboundEvent(
        id=f"{source}:{sha256(number.encode('utf-8', 'replace')).hexdigest()[:_ID]}",
        source=source,
        kind=kind,
        address=address.strip("<> "),
        status=status[:20],
        text=text,
        once=once,
    )


def same(one: str, other: str) -> bool:
    """Return whether two secrets are the same, in a time that doesn't tell where they differ."""
    return compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def moment(seconds: str) -> datetime | None:
    """Return the moment of a Unix time in text, or None if it is none."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
