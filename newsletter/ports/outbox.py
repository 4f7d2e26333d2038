"""The deliveries to be made, and what became of each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.ports.claims import ClaimedDeliveries
from newsletter.ports.records import DeliveryRecords


class Outbox(ClaimedDeliveries, DeliveryRecords, Protocol):
    """The deliveries still to be made: of which issues they are, when they are due, and what is too late."""

    async def hasten(
        self, issue_key: int, *, now: datetime, states: Collection[DeliveryState] = WAITING, key: int | None = None
    ) -> int:
        """Make deliveries of an issue due now, as somebody wishes: all that wait, or those in some states, or one.

        They are late, and retried in vain for too long, only as from now. What is uncertain becomes due now if it
        is queued again. They are changed some at a time, so that others can write meanwhile.

        Returns:
            How many deliveries were in these states.
        """
        ...

    async def withdraw_late(self, issue_key: int, *, due_before: datetime, reason: str, now: datetime) -> int:
        """Withdraw what was due before a moment and waits still, some at a time; return how many.

        What a worker holds is left to it.
        """
        ...

    async def suppressed_count(self, issue_key: int) -> int:
        """Return how many of its withdrawn deliveries are so because the address is suppressed."""
        ...

    async def next_due(self, issue_key: int) -> datetime | None:
        """Return when the next queued or deferred delivery of an issue is due, or None."""
        ...

    async def is_held(self, issue_key: int) -> bool:
        """Return whether a worker, dead or alive, holds deliveries of an issue."""
        ...

    async def due_count(self, issue_key: int, *, by: datetime, most: int) -> int:
        """Return how many deliveries of an issue may be claimed by a moment (aware), counted up to `most`."""
        ...

    async def open_issues(self, list_name: str | None = None) -> list[int]:
        """Return the keys of issues, of one list or of all, with queued, sending or deferred deliveries.

        The oldest day comes first.
        """
        ...
