"""Issues: what a list publishes for one day, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Masthead


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueListing:
    """One listing in an issue, as it was when the issue was frozen."""

    key: int  # the store's number of the listing
    rank: int  # from 1
    listing: Listing
    listed_on: date  # the first day on which a source showed it
    score: float = 0.0
    reasons: tuple[str, ...] = ()  # why it is in, in words for the mail
    upvotes: int | None = None
    comments: int | None = None
    stars: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An issue before it is frozen."""

    masthead: Masthead
    day: date
    number: int  # the number it will have: one more than the list's issues that it was held against
    candidates: int  # unsent listings before the limit on an issue's length
    listings: tuple[IssueListing, ...]
    listed: int = 0  # listings that sources show for the day itself, sent ones too


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A frozen issue. `frozen_at` is aware, UTC; `number` counts the issues of the list from 1."""

    key: int  # the store's number of the issue
    number: int
    subject: str
    frozen_at: datetime
    masthead: Masthead
    day: date
    candidates: int
    listings: tuple[IssueListing, ...]

    @property
    def list(self) -> str:
        """Return the name of the list it belongs to."""
        return self.masthead.list
