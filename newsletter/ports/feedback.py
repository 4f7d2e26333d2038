"""What readers said of papers in their mails."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.core.likeness import Opinion
from newsletter.core.listing import Listing


class Said(NamedTuple):
    """What a reader said of a paper: its number, the paper, and whether they want more like it or less."""

    listing_key: int
    listing: Listing
    liked: bool


class Feedback(Protocol):
    """What readers said of papers: more like this one, or less. Of a reader only the newest few are kept.

    It follows where two listings turn out to be one; what was said last of either counts.
    """

    async def say(self, subscriber_key: int, listing_key: int, *, liked: bool, now: datetime) -> None:
        """Note what a reader says of a paper, in place of what they said of it before.

        Args:
            subscriber_key: the reader, who is known.
            listing_key: the paper; one that was merged into another stands for that one.
            liked: whether the reader wants more like it, else less.
            now: the present moment; aware, UTC.
        """
        ...

    async def take_back(self, subscriber_key: int, listing_key: int) -> None:
        """Forget what a reader said of a paper, if they did."""
        ...

    async def said(self, subscriber_key: int, listing_key: int) -> bool | None:
        """Return whether a reader wants more like a paper, or less; None where they said nothing of it."""
        ...

    async def of_address(self, list_name: str, address_key: str) -> tuple[Opinion, ...]:
        """Return what the subscriber of an address on a list said, newest first; nothing if there is none.

        After that come the papers that they gave as examples, as liked ones.
        """
        ...

    async def all_of(self, subscriber_key: int) -> list[Said]:
        """Return all that a reader said and that is kept, newest first."""
        ...
