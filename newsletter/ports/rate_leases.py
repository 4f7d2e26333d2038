"""How the processes and machines that send share the rates of relays and domains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol


class AskedPlaces(NamedTuple):
    """Places in the row of messages that a rate lets go one after the other.

    `scope` says whose rate it is, `spacing` how many seconds lie between two messages, `places` how many are
    wanted, at least one.
    """

    scope: str
    spacing: float
    places: int


class RateLeases(Protocol):
    """Gives each place to one process only, by one clock: the ledger's."""

    async def lease(self, asked: Collection[AskedPlaces]) -> Mapping[str, float]:
        """Take the next places of some scopes, each of which is named once.

        What nobody has used is lost: after a time without messages the next place is now.

        Returns:
            By scopes, in how many seconds the first place comes; the others follow at the spacing.

        Raises:
            StoreError: the ledger can't be written.
        """
        ...
