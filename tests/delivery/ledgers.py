"""A ledger of rates that fails."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from newsletter.core.errors import StoreError
from newsletter.ports import AskedPlaces, RateLeases


class Broken(RateLeases):
    """A ledger that fails some times, and then passes on to a real one; without one it always fails."""

    def __init__(self, leases: RateLeases | None = None, times: int = 0) -> None:
        self._leases, self._fails = leases, times
        self.calls = 0

    async def lease(self, asked: Collection[AskedPlaces]) -> Mapping[str, float]:
        self.calls += 1
        if self._leases is None or self.calls <= self._fails:
            raise StoreError("the ledger is locked")
        return await self._leases.lease(asked)
