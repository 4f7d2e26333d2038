"""How many mails relays were handed, as far as they have a quota."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.core.quotas import Quota, Room


class Granted(NamedTuple):
    """A number of mails that may be handed over; they count in a slot already. `room` is what was left before."""

    mails: int
    slot: datetime
    room: Room


class RelayUsage(Protocol):
    """Counts the mails of each account at a relay, over all processes."""

    async def take(self, account: str, quota: Quota, most: int, *, now: datetime) -> Granted:
        """Count mails that are about to be handed over, as many as the quota has room for, and `most` at most.

        Two processes never take the same. The first that is taken by a quota with a warm-up begins that.
        """
        ...

    async def room(self, account: str, quota: Quota, *, now: datetime) -> Room:
        """Return how many mails more may be handed over now; nothing is counted, and no warm-up begins."""
        ...

    async def give_back(self, account: str, slot: datetime, mails: int) -> None:
        """Count less in a slot: they were not handed over after all."""
        ...
