"""Single papers, for the pages that show or find them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from newsletter.core.full_text import Query
from newsletter.core.identity import ListingId
from newsletter.core.listing import Listing, Sighting
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class InIssue:
    """That a paper stands in an issue: in which place (from 1) of how many, and with how many upvotes.

    `machine` is what a model wrote of it for that list.
    """

    list: str
    title: str  # of the list
    day: date
    cadence: Cadence
    rank: int
    listings: int
    upvotes: int | None
    machine: MachineSummary | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """All that is known of a paper.

    Attributes:
        key: the store's number of the listing.
        listing: as it is known now.
        updated_at: when the listing last changed, or was last seen; aware, UTC.
        sightings: what sources said of it, oldest first.
        issues: those that it stands in, newest first.
    """

    key: int
    listing: Listing
    updated_at: datetime
    sightings: tuple[Sighting, ...]
    issues: tuple[InIssue, ...]


class PaperAddress(NamedTuple):
    """A paper, as a list of all pages needs it; the moment is aware, UTC."""

    key: int
    identity: ListingId
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: a page of the papers' numbers, the best first, and how many there are in all."""

    keys: tuple[int, ...] = ()
    total: int = 0


class Papers(Protocol):
    """Reads papers one by one, and finds them by their words."""

    async def find(self, identity: ListingId) -> Paper | None:
        """Return the paper that is known by an identity; None if none or several are.

        A former identity counts as well, and so does one with a version, or an arXiv DOI.
        """
        ...

    async def search(
        self, query: Query, *, sources: Sequence[str] | None = None, offset: int = 0, limit: int = 20
    ) -> Found:
        """Return the papers that have something of each of the query's terms.

        Args:
            query: what they must have.
            sources: only what these showed; None: all.
            offset: how many of them are left out, from the best.
            limit: how many are returned at most.

        Raises:
            SearchError: it took too long, or the database can't search; one line for the visitor.
        """
        ...

    async def near(self, key: int, query: Query, *, limit: int) -> tuple[int, ...]:
        """Return the papers that fit a query and became known at about the time of another one, the best first.

        There are none where that takes too long, or where the database can't search.
        """
        ...

    async def newest_key(self) -> int:
        """Return the number of the paper that became known last; 0: there is none."""
        ...

    def addresses(self, *, since: int = 1, until: int | None = None) -> AsyncIterator[PaperAddress]:
        """Return all papers in the order in which they became known, some at a time.

        Args:
            since: the least of their numbers.
            until: the greatest; None: to the end.
        """
        ...
