"""That processes do their work: each says so now and then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

SCHEDULER, RUN = "scheduler", "run"  # work that is beaten for: the ticks of `serve`, and `newsletter run`


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """When a process last showed that it does its work. Moments are aware, UTC.

    Attributes:
        work: which work: `SCHEDULER` or `RUN`.
        process: who does it, as `host:process id`.
        at: when it was done last.
        fresh_until: by when it is to be done again.
    """

    work: str
    process: str
    at: datetime
    fresh_until: datetime


class Beats(Protocol):
    """The beats of all processes that work with the ledger."""

    async def note(self, work: str, process: str, *, now: datetime, fresh_for: timedelta) -> None:
        """Note that a process has done its work; what has not been fresh for a day is forgotten."""
        ...

    async def newest(self) -> list[Beat]:
        """Return the last beat of each work, by its name."""
        ...
