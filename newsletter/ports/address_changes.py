"""New addresses that readers ask for, and confirm."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.core.subscriber import Subscriber


class AddressChange(NamedTuple):
    """A new address that a reader asked for.

    `reader` is the subscriber as they are now: with their former address, or, once they moved, with the new one.
    `former_email` is empty until they moved. `asked_at` is aware, UTC.
    """

    key: int
    subscriber_key: int
    reader: Subscriber
    email: str
    former_email: str
    asked_at: datetime


class AddressChanges(Protocol):
    """New addresses that readers ask for. Each is confirmed by a mail to it, and its former address is told."""

    async def ask(self, subscriber_key: int, email: str, *, now: datetime) -> bool:
        """Note that a reader asks for a new address; what they asked for before is open no more.

        Nothing is noted, and False returned, where the reader gets no mail, the address is on the list already, no
        mail may go to it, or one of the two asked too often (`core.moving`).
        """
        ...

    async def find(self, key: int, *, now: datetime) -> AddressChange | None:
        """Return a change that may still be confirmed."""
        ...

    async def move(self, key: int, *, now: datetime) -> AddressChange | None:
        """Give a reader the new address, in one transaction; None, having changed nothing, if that is over.

        Wishes, feedback and history stay. The former address gets no more mail of the list: what was not sent is
        withdrawn, and it is suppressed there (`core.moving.MOVED`), so that no file brings it back. A reader whom
        the list's files named is managed by these no more.
        """
        ...

    async def to_confirm(self, *, now: datetime) -> list[AddressChange]:
        """Return open changes of which the new address was not mailed yet."""
        ...

    async def to_tell(self, *, now: datetime) -> list[AddressChange]:
        """Return changes of which the former address was not told yet."""
        ...

    async def note_mailed(self, key: int, *, now: datetime) -> None:
        """Note that the new address was mailed."""
        ...

    async def note_told(self, key: int, *, now: datetime) -> None:
        """Note that the former address was told, and forget it."""
        ...
