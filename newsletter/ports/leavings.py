"""That readers left, so that they may take it back."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.core.subscriber import Subscriber


class Leaving(NamedTuple):
    """That a reader left a list: the number by which it is taken back, when it was (aware, UTC), and who left."""

    key: int
    at: datetime
    subscriber_key: int
    reader: Subscriber


class Leavings(Protocol):
    """That readers left. What the operator or the reader has undone since is none any more."""

    async def last(self, subscriber_key: int) -> Leaving | None:
        """Return that a reader left, if they did and it still keeps them out."""
        ...

    async def find(self, key: int) -> Leaving | None:
        """Return the leaving of a number, as long as it keeps the reader out."""
        ...

    async def undo(self, key: int, *, now: datetime) -> Subscriber | None:
        """Bring a reader back to what they were before they left; None, having changed nothing, if that is over.

        It is over when the reader was brought back already, by whatever way, or left anew. What else bars the
        address, such as a bounce, goes on to do so. Issues that were withdrawn when the reader left stay so: their
        papers compete again for the reader's next issue.

        Args:
            key: the leaving's.
            now: aware, UTC.
        """
        ...

    async def say_why(self, key: int, why: str) -> bool:
        """Keep why a reader left, with what suppresses them; False, having changed nothing, if that is over.

        Args:
            key: the leaving's.
            why: one short line.
        """
        ...

    async def to_tell(self, *, now: datetime) -> list[Leaving]:
        """Return who left by mail within the last day, and was not told yet that it is done."""
        ...

    async def note_told(self, key: int) -> None:
        """Note that who left was told."""
        ...
