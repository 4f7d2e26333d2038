"""What sources showed, as it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.listing import Candidate, Entry, Skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording a page changed."""

    listings: int  # listings on the page, each once
    new: int  # … of them unknown until now
    merged: tuple[str, ...] = ()  # one line for each two listings that turned out to be one
    repeats: tuple[Skipped, ...] = ()  # entries that are the listing of an earlier one on the page


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceHealth:
    """How a source does. Moments are aware, UTC."""

    source: str
    read_at: datetime | None  # when it last answered; None: it never did
    tried_at: datetime | None  # when it was last tried
    error: str  # why the last try failed; empty if it went well


class Library(Protocol):
    """Listings and sightings; only ever grows."""

    async def record(self, source: str, day: date, entries: Sequence[Entry], *, now: datetime) -> Recorded:
        """Add a page that was read, in one transaction; recording it again adds nothing.

        What shows that an entry is a known listing is weighed in `core.evidence`; a stronger identity that is
        learnt now becomes its id, and history follows. What a source lists for the first time is listed on `day`,
        whatever its own date, save on the source's first page (`core.matching.first_shown`). A sighting whose
        votes, comments, stars and position are those of the newest one of the same listing, source and day is not
        repeated.
        """
        ...

    async def attempted(self, source: str, day: date, *, now: datetime, settled: bool, error: str = "") -> None:
        """Note that a page was tried. `settled`: it was read after its day had ended, and won't be missed."""
        ...

    async def unsettled(self, source: str) -> frozenset[date]:
        """Return the days that were tried and never settled."""
        ...

    async def read_days(self, source: str) -> frozenset[date]:
        """Return the days whose page was read, while they lasted or later."""
        ...

    async def health(self, source: str) -> SourceHealth:
        """Return how a source does, by when it was tried, when it answered and what went wrong."""
        ...

    async def candidates(self, sources: Sequence[str], *, since: date, until: date) -> list[Candidate]:
        """Return the listings that these sources showed from `since` to `until`, with those sightings."""
        ...
