"""Backups of the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup that was made: when (aware, UTC), and into which file."""

    at: datetime
    file: str


class Backups(Protocol):
    """What the ledger knows of its backups."""

    async def newest(self) -> Backup | None:
        """Return the backup that was made last; None if there never was one."""
        ...

    async def note(self, backup: Backup) -> None:
        """Note that a backup was made."""
        ...
