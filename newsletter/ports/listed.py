"""Listings as the public pages show them: each paper once, with its newest counts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import NewsletterList

# Returns the names by which the ledger knows the sources of a list. A list file may write them otherwise: it names
# files beside itself, say.
SourceNames = Callable[[NewsletterList], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPaper:
    """A listing with what its sources said of it, as far as is known by now.

    Attributes:
        key: the store's number of the listing.
        listing: as it is known now; issues keep what it was.
        upvotes: the newest known, on the page where these are most; None: no source counts them.
        comments: likewise.
        stars: of its code, likewise.
        first_listed_on: the first day on which a source showed it.
        first_seen_at: when it became known; aware, UTC.
        sources: the names of the sources that showed it, in order.
    """

    key: int
    listing: Listing
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None
    first_listed_on: date
    first_seen_at: datetime
    sources: tuple[str, ...] = ()


class ListedPapers(Protocol):
    """Reads listings for pages; changes nothing."""

    async def on_day(self, sources: Sequence[str], day: date) -> list[ListedPaper]:
        """Return the papers that these sources showed for a day, in the order in which they became known."""
        ...

    async def days(self, sources: Sequence[str], since: date, until: date) -> dict[date, int]:
        """Return how many papers these sources showed on each day from `since` to `until`, oldest first."""
        ...

    async def between(self, sources: Sequence[str], since: date, until: date) -> list[ListedPaper]:
        """Return the papers that these sources showed from `since` to `until`, each once, as `on_day` does."""
        ...

    async def oldest_day(self, sources: Sequence[str]) -> date | None:
        """Return the first day for which these sources showed papers; None: there is none."""
        ...

    async def newest_day(self, sources: Sequence[str], until: date) -> date | None:
        """Return the newest day up to `until` for which these sources showed papers; None: there is none."""
        ...

    async def updated_at(self, sources: Sequence[str], since: date, until: date) -> datetime | None:
        """Return when a page of these sources for one of these days last answered (UTC); None: none ever did."""
        ...

    async def newest(self, sources: Sequence[str], *, before: int | None = None, limit: int) -> list[ListedPaper]:
        """Return the papers of these sources that became known last, the newest first.

        Args:
            sources: their names.
            before: only papers with lower numbers, which became known before the one of this number.
            limit: how many at most.
        """
        ...

    async def by_keys(self, keys: Collection[int]) -> Mapping[int, ListedPaper]:
        """Return the papers with these numbers, as far as there are any.

        The number of a listing that was merged into another stands for the other.
        """
        ...

    async def version(self, lists: Collection[str] = ()) -> str:
        """Return what changes whenever an answer of this port may have changed; it costs few rows.

        Args:
            lists: it changes with a new issue of these lists, too.
        """
        ...
