"""What other programs may be told of: events, and who listens to which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from urllib.parse import urlsplit


class EventType(StrEnum):
    """What happened, as the `type` of a webhook says it."""

    ISSUE_CLOSED = "issue.closed"
    ISSUE_DELIVERED = "issue.delivered"  # nothing of the issue waits any more
    SUBSCRIBER_CONFIRMED = (
        "subscriber.confirmed"  # by their own press of a button: a sign-up, or staying after all
    )
    SUBSCRIBER_LEFT = "subscriber.left"  # by their own word: a link, a button, a mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        type: what.
        at: when; aware, UTC.
        data: what is told of it, as JSON values; no data of a person but a number.
        issue_key: the issue that it is about, if any.
        subscriber_key: the subscriber that it is about, if any.
    """

    type: EventType
    at: datetime
    data: Mapping[str, object]
    issue_key: int | None = None
    subscriber_key: int | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """One who is told of events: the name in the ledger, and of which."""

    receiver: str
    events: frozenset[EventType]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a program listens.

    Attributes:
        url: an http(s) address, which may hold a secret.
        key: signs what is sent there (`core.webhook_signatures.read_secret`).
        events: of which it is told.
        with_addresses: whether it is told the addresses of readers.
    """

    url: str = field(repr=False)
    key: bytes = field(repr=False)
    events: frozenset[EventType]
    with_addresses: bool

    @property
    def name(self) -> str:
        """Return its name in the ledger: the host, and a part of a hash that tells it from others there."""
        return f"webhook:{urlsplit(self.url).hostname}#{sha256(self.url.encode()).hexdigest()[:8]}"

    @property
    def listener(self) -> Listener:
        """Return it as one who is told of events."""
        return Listener(self.name, self.events)


def of_reader(kind: EventType, list_name: str, subscriber_key: int, *, now: datetime) -> Event:
    """Return that a reader came to a list, or left it."""
    data = {"list": list_name, "subscriber": subscriber_key}
    return Event(type=kind, at=now, data=data, subscriber_key=subscriber_key)
