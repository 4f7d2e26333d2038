"""What webhooks and channels are told, and what became of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.core.notices import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeCounts:
    """How notices to one receiver stand; `reason` is why the last one that failed did, or nothing."""

    receiver: str
    waiting: int
    given_up: int
    reason: str


class Notices(Protocol):
    """Notices, each once for each receiver.

    Events become notices in the transaction in which they happen, for those who listen by then.
    """

    async def ripen(self, *, now: datetime) -> None:
        """Let notices of delivered issues go out: of those of which nothing waits any more."""
        ...

    async def add_posts(self, receivers: Collection[str], issue_key: int, *, now: datetime) -> None:
        """Add the post of an issue for each of these receivers who has none of it yet."""
        ...

    async def posted(self, issue_key: int) -> frozenset[str]:
        """Return the receivers that have a notice of an issue's post, whatever became of it."""
        ...

    async def ready(self, *, now: datetime) -> frozenset[str]:
        """Return the receivers that have a notice which is due."""
        ...

    async def claim(self, receiver: str, *, now: datetime) -> Notice | None:
        """Return the oldest notice to a receiver that is due, or None; nobody else gets it within `LEASE`."""
        ...

    async def sent(self, notice: Notice, *, now: datetime) -> None:
        """Note that a notice was taken."""
        ...

    async def failed(self, notice: Notice, reason: str, *, again_at: datetime | None, now: datetime) -> None:
        """Note that a notice was not taken, and why; `again_at` is when it is tried again, None: never."""
        ...

    async def counts(self) -> list[NoticeCounts]:
        """Return how notices stand by receiver, those who have waiting ones or some that were given up."""
        ...

    async def forget_old(self, *, now: datetime) -> None:
        """Delete notices older than `KEPT_FOR`."""
        ...
