"""Counts that hold across processes and machines."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class SharedCounts(Protocol):
    """Counts how often something was done in a time."""

    async def add(self, name: str, *, now: datetime, until: datetime) -> int:
        """Count one more.

        Args:
            name: of what is counted; it holds no address of a person, nor of a visitor.
            now: the present moment, aware.
            until: when a count that begins now begins anew, aware.

        Returns:
            How many there were in its time, this one among them.

        Raises:
            StoreError: the ledger cannot be written.
        """
        ...
