"""What becomes of a ledger that was restored from a backup."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol


class Restored(Protocol):
    """What the operator said of the time that a backup does not know."""

    async def assumed_until(self) -> datetime | None:
        """Return until when all that was due counts as sent; None: nothing does but what the ledger knows."""
        ...

    async def listed_by(self, keys: Collection[int], sources: Sequence[str], day: date) -> frozenset[int]:
        """Return which listings one of the sources listed on a day or before."""
        ...

    async def assume_sent(self, until: datetime, *, now: datetime) -> int:
        """Let all count as sent that was due by then: deliveries, letters, notices and posts. Safe to repeat.

        It is done in many transactions; the last one notes `until`. Nobody else may use the ledger meanwhile.

        Returns:
            How many deliveries were open.
        """
        ...
