"""What became of the hours of a list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol


class Slots(Protocol):
    """What became of a list's slots, beyond its issues."""

    async def first_seen(self, list_name: str, *, now: datetime) -> datetime:
        """Return when a list was first looked at for what is due: now, if it never was."""
        ...

    async def in_vain(self, list_name: str) -> date | None:
        """Return the last day on which a list's slot led to no issue, as there was nothing to send or nobody."""
        ...

    async def waits_since(self, list_name: str) -> date | None:
        """Return the first day, as far as it is known, on which a list was tried; None: none led to no issue."""
        ...

    async def note_in_vain(self, list_name: str, day: date, *, now: datetime) -> None:
        """Note such a day, in place of the one before."""
        ...
