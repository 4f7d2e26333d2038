"""Deliveries as operators read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.delivery import DeliveryState


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery as an operator reads it."""

    key: int
    list: str
    day: date
    email: str
    state: DeliveryState
    due_at: datetime
    attempts: int
    updated_at: datetime
    next_attempt_at: datetime | None
    relay: str
    code: int | None
    text: str
    reason: str
    timezone: str  # the IANA name of its list's, as it was when the issue was closed


class DeliveryRecords(Protocol):
    """What became of each delivery."""

    async def records(
        self,
        *,
        list_name: str | None = None,
        day: date | None = None,
        states: Collection[DeliveryState] = (),
        limit: int = 1000,
    ) -> list[DeliveryRecord]:
        """Return deliveries as an operator reads them, newest issue first, at most `limit`; only these are read.

        `states` narrows it to deliveries in one of some states; empty: they may be in any.
        """
        ...

    async def of_subscriber(self, subscriber_key: int, list_name: str, *, limit: int) -> list[DeliveryRecord]:
        """Return what became of the newest issues of a list for a subscriber, by number; the newest issue first.

        Args:
            subscriber_key: the subscriber's number.
            list_name: the list, or its weekly edition.
            limit: how many at most.
        """
        ...

    async def count(
        self, *, list_name: str | None = None, day: date | None = None, states: Collection[DeliveryState] = ()
    ) -> int:
        """Return how many deliveries `records` would return without a limit."""
        ...

    async def issues_with(
        self, state: DeliveryState, *, list_name: str | None = None, day: date | None = None
    ) -> list[int]:
        """Return the keys of issues that have deliveries in a state; the oldest day comes first.

        `list_name` and `day` narrow it to one list and to the issues of one day.
        """
        ...
