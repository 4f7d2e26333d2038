"""Issues: what a list publishes for one day; a draft until it is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from newsletter.core.choice import TextKind
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import Masthead
from newsletter.core.pictures import Figure
from newsletter.core.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueListing:
    """One listing in an issue, as it was when the issue was frozen.

    `again`: it competed for an earlier issue already, and is only for readers who missed that one (`core.missed`).
    """

    key: int  # the store's number of the listing
    rank: int  # from 1
    listing: Listing
    listed_on: date  # the first day on which a source showed it
    score: float = 0.0
    reasons: tuple[str, ...] = ()  # why it is in, in words for the mail
    upvotes: int | None = None
    first_upvotes: int | None = None  # how many it had when they were first seen
    comments: int | None = None
    stars: int | None = None
    figure: Figure | None = None  # a picture of the paper that was checked
    again: bool = False
    machine: MachineSummary | None = None  # what a model wrote of it for this list

    @property
    def rose_by(self) -> int:
        """Return how many upvotes it got after they were first seen; 0 where that is not known."""
        if self.upvotes is None or self.first_upvotes is None:
            return 0
        return max(self.upvotes - self.first_upvotes, 0)


def length(candidates: int, most: int) -> int:
    """Return how many of an issue's listings somebody without wishes gets.

    Args:
        candidates: how many compete for it that everybody is to get.
        most: the most that one reader gets; 0: no limit.
    """
    return min(candidates, most or candidates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue before it is closed."""

    terms: Terms
    day: date
    number: int  # the number it will have: one more than the list's issues that it was held against
    candidates: int  # listings that compete for it
    listings: tuple[IssueListing, ...]  # of these, best first for somebody without wishes
    left_out: int = 0  # of them; they compete for the next issue
    listed: int = 0  # listings that sources show for the day itself, sent ones too

    @property
    def masthead(self) -> Masthead:
        """Return what of the list shows on its mail."""
        return self.terms.masthead

    @property
    def is_quiet(self) -> bool:
        """Return whether there is no news: what it holds is named only, and brought to nobody (`core.quiet`)."""
        return not self.candidates

    def closed(self, key: int, subject: str, at: datetime) -> Issue:
        """Return the issue that it becomes.

        Args:
            key: the store's number of the issue; 0 for an issue that is not stored.
            subject: of the whole issue.
            at: when it is closed; aware, UTC.
        """
        return Issue(
            key=key,
            number=self.number,
            subject=subject,
            frozen_at=at,
            terms=self.terms,
            day=self.day,
            candidates=self.candidates,
            listings=self.listings,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A closed issue: its key alone is enough to deliver it, and to make the same bytes again.

    `frozen_at` is when it was closed; aware, UTC. `number` counts the issues of the list from 1.
    """

    key: int  # the store's number of the issue
    number: int
    subject: str
    frozen_at: datetime
    terms: Terms
    day: date
    candidates: int
    listings: tuple[IssueListing, ...]

    @property
    def masthead(self) -> Masthead:
        """Return what of the list shows on its mail."""
        return self.terms.masthead

    @property
    def is_quiet(self) -> bool:
        """Return whether there was no news: what it holds is named only, and brought to nobody (`core.quiet`)."""
        return not self.candidates

    @property
    def length(self) -> int:
        """Return how many of its listings somebody without wishes gets."""
        return min(length(self.candidates, self.terms.max_listings), len(self.listings))

    @property
    def news(self) -> tuple[IssueListing, ...]:
        """Return its listings without those that are for readers who missed an earlier issue."""
        return tuple(one for one in self.listings if not one.again)

    @property
    def list(self) -> str:
        """Return the name of the list it belongs to."""
        return self.terms.masthead.list

    def in_language(self, tag: str) -> Issue:
        """Return the issue as it is shown to readers of a language; empty: of the list's own."""
        return replace(self, terms=replace(self.terms, masthead=self.masthead.in_language(tag))) if tag else self

    def part(self, positions: Sequence[int], text: TextKind = TextKind.SUMMARY) -> Draft:
        """Return a draft of the issue as if the listings at these positions, in this order, were all its news.

        For readers of abstracts, nothing in it is by a model that the list asked.
        """
        listings: Iterable[IssueListing] = map(self.listings.__getitem__, positions)
        if text is TextKind.ABSTRACT:
            listings = (replace(one, machine=None) for one in listings)
        return Draft(
            terms=self.terms,
            day=self.day,
            number=self.number,
            candidates=self.candidates,
            listings=tuple(replace(one, again=False) if one.again else one for one in listings),
        )
