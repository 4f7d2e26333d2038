"""How a database stands, without a change to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.core.ledger_copies import OutOfUse


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """How a database stands.

    Attributes:
        where: its name for people, without a password.
        file: of SQLite.
        is_there: whether it has any tables of ours.
        revision: that of its tables; nothing where there are none.
        newest: the revision that this version of the program works with.
        now: the database server's clock (aware); None for SQLite, which has none of its own.
        timezones: of readers who chose their own, if the tables are of the newest revision.
        out_of_use: why another database is the ledger, if this one was copied, or is half a copy.
    """

    where: str
    file: Path | None
    is_there: bool
    revision: str
    newest: str
    now: datetime | None
    timezones: tuple[str, ...]
    out_of_use: OutOfUse | None
