"""The ledger: all that is kept, each kind with a port of its own."""

from __future__ import annotations

from typing import Protocol

from newsletter.ports.hindrances import Hindrances
from newsletter.ports.issues import Issues
from newsletter.ports.library import Library
from newsletter.ports.outbox import Outbox
from newsletter.ports.roster import Roster
from newsletter.ports.slots import Slots
from newsletter.ports.suppressions import HighWater, Suppressions


class Store(Protocol):
    """One ledger behind narrow doors."""

    @property
    def library(self) -> Library:
        """Return the listings and sightings."""
        ...

    @property
    def issues(self) -> Issues:
        """Return the frozen issues."""
        ...

    @property
    def roster(self) -> Roster:
        """Return subscribers and suppressions."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Return the deliveries to be made."""
        ...

    @property
    def hindrances(self) -> Hindrances:
        """Return what holds mail up for a while."""
        ...

    @property
    def suppressions(self) -> Suppressions:
        """Return the addresses that are not mailed any more."""
        ...

    @property
    def high_water(self) -> HighWater:
        """Return how far the ledger has come."""
        ...

    @property
    def slots(self) -> Slots:
        """Return what became of slots."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...
