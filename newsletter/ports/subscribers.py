"""Who reads a list."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Subscriber, SyncPlan


class Subscribers(Protocol):
    """Subscribers and suppressions."""

    async def of_list(self, list_name: str) -> list[Subscriber]:
        """Return all subscribers of a list, of every status, by address."""
        ...

    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        """Return whether an active subscriber of a list has chosen this cadence."""
        ...

    async def apply(self, list_name: str, plan: SyncPlan, *, now: datetime) -> None:
        """Do what a sync plan says, in one transaction.

        Who came by another way than the plan says is left as they are, and who has unsubscribed stays so.
        """
        ...

    async def by_key(self, key: int) -> Subscriber | None:
        """Return the subscriber of a number, or None."""
        ...

    async def of_address(self, list_name: str, address_key: str) -> Subscriber | None:
        """Return the subscriber of an address on a list, of whatever status, or None."""
        ...

    async def suppress(self, email: str, *, list_name: str | None, reason: str, now: datetime) -> bool:
        """Never mail an address again, on one list or (None) on all; return whether that is news.

        A subscriber of the list becomes `unsubscribed`, deliveries not yet sent are withdrawn.
        """
        ...
