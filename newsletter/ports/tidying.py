"""Removing what the ledger does not need for ever."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Protocol

from newsletter.core.retention import KeepFor


class Tidying(Protocol):
    """Removes rows that are old, some in each transaction: others read and write meanwhile."""

    async def tidied_at(self) -> datetime | None:
        """Return when all that was old was removed last; None: never."""
        ...

    async def tidy(self, keep: KeepFor, *, now: datetime, stopping: Callable[[], bool]) -> Mapping[str, int]:
        """Remove what is older than it is kept; safe to repeat, at any time and twice at once.

        Args:
            keep: how long things are kept.
            now: the present moment, aware.
            stopping: is asked between transactions; once it says True, the rest is left for the next time.

        Returns:
            How many rows were removed, or blanked, by what they are; nothing of a kind stands for none.
        """
        ...

    async def forgotten(self, list_names: Collection[str], keys: Collection[int]) -> frozenset[int]:
        """Return which listings stand in issues of these lists whose deliveries were removed."""
        ...
