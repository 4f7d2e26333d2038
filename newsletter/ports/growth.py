"""How lists grow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.growth import ReaderDay


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """How lists grew: their days, oldest first, and when they were last counted (None: never)."""

    days: tuple[ReaderDay, ...] = ()
    counted_at: datetime | None = None


class Growth(Protocol):
    """How many readers lists have, day by day: counted now and then, since a million take a second."""

    async def count(self, *, now: datetime) -> None:
        """Count the readers of all lists, and who came and went. Safe to repeat, and to be done twice at once.

        Today and yesterday are counted anew. Days before them are worked out where they are not known; what was
        counted on the day itself stays.
        """
        ...

    async def since(self, day: date, *, list_name: str | None = None) -> Grown:
        """Return the days from one on, of a list or of all lists together."""
        ...
