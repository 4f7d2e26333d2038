"""The result of a replay: papers listed, mailed and missed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.core.issue import IssueListing
from newsletter.core.listing import Candidate
from newsletter.core.ranking import is_vote

SHARES = ("top5_same_day", "top5_next_issue", "top10_same_day", "top10_next_issue")


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of the most upvoted papers were mailed: `reached` out of `of`."""

    reached: int = 0
    of: int = 0

    def __add__(self, other: Reach) -> Reach:
        """Return the sum of both."""
        return Reach(self.reached + other.reached, self.of + other.of)

    @property
    def share(self) -> float | None:
        """Return the share from 0 to 1; None where no votes are counted."""
        return self.reached / self.of if self.of else None


@dataclass(frozen=True, slots=True)
class Made:
    """What an issue brought a reader without wishes; where there is no issue, nothing, and the reason."""

    listings: Sequence[IssueListing]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResult:
    """A day: papers on its final pages, papers in its issue, and how many of these are of earlier days (`late`).

    The reaches count the day's five and ten most upvoted papers: mailed with its own issue, and by the next issue.
    """

    day: date
    listed: int
    mailed: int
    late: int
    reason: str  # why there is no issue
    top5_same_day: Reach
    top5_next_issue: Reach
    top10_same_day: Reach
    top10_next_issue: Reach

    def as_json(self) -> dict[str, Any]:
        """Return the object of a day in what `backtest --json` prints."""
        counts = {"listed": self.listed, "mailed": self.mailed, "late": self.late, "reason": self.reason}
        return {"date": self.day.isoformat(), **counts, **{name: getattr(self, name).share for name in SHARES}}


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestResult:
    """All days. `listed` and `mailed` count different papers; `mailed_twice` counts papers in two or more issues.

    `closing` is the day of the issue after the last day, which brings the late papers of the last day.
    """

    days: tuple[DayResult, ...]
    listed: int
    mailed: int
    mailed_twice: int
    closing: date | None
    left_out: tuple[str, ...]  # sources that keep no past

    def total(self, share: str) -> Reach:
        """Return a share, named as in `SHARES`, over all days."""
        return sum((getattr(day, share) for day in self.days), Reach())

    def as_json(self) -> dict[str, Any]:
        """Return the object that `backtest --json` prints."""
        counts = {"listed": self.listed, "mailed": self.mailed, "mailed_twice": self.mailed_twice}
        return {
            "days": [day.as_json() for day in self.days],
            "totals": {**counts, **{name: self.total(name).share for name in SHARES}},
            "closing_issue": self.closing and self.closing.isoformat(),
            "left_out": list(self.left_out),
        }


def measured(
    pages: Mapping[date, Sequence[Candidate]],
    issues: Mapping[date, Made],
    *,
    closing: date | None,
    left_out: tuple[str, ...] = (),
) -> BacktestResult:
    """Compare issues with the final pages.

    Args:
        pages: by day, in order: its listings, with the sightings of that day.
        issues: by issue day, in order.
        closing: the day of the issue after the last day.
        left_out: sources that could not be replayed.
    """
    keys = {day: {listing.key for listing in made.listings} for day, made in issues.items()}
    listed = {candidate.key for page in pages.values() for candidate in page}
    copies = Counter(listing.listing.id for made in issues.values() for listing in made.listings)
    days = [_measured_day(day, page, issues, keys) for day, page in pages.items()]
    return BacktestResult(
        days=tuple(
            day_or_listing for day_or_listing in days if day_or_listing.listed or day_or_listing.day in issues
        ),
        listed=len(listed),
        mailed=len(listed & set().union(*keys.values())),
        mailed_twice=sum(count > 1 for count in copies.values()),
        closing=closing,
        left_out=left_out,
    )


def _measured_day(
    day: date, page: Sequence[Candidate], issues: Mapping[date, Made], keys: Mapping[date, set[int]]
) -> DayResult:
    made = issues.get(day, Made((), "no issue comes out on this day"))
    following = next((later for later in issues if later > day), day)
    same = {key for issued_on, mailed in keys.items() if issued_on <= day for key in mailed}
    soon = same | keys.get(following, set())
    best = _most_upvoted(page)
    return DayResult(
        day=day,
        listed=len(page),
        mailed=len(keys.get(day, ())),
        late=sum(item.listed_on < day for item in made.listings),
        reason=made.reason,
        top5_same_day=_reach(best[:5], same),
        top5_next_issue=_reach(best[:5], soon),
        top10_same_day=_reach(best[:10], same),
        top10_next_issue=_reach(best[:10], soon),
    )


def _most_upvoted(page: Sequence[Candidate]) -> list[int]:
    """Return the keys of a day's listings that have votes: most upvoted first, equal ones in the page's order."""
    found = []
    for candidate in page:
        votes = [sighting for sighting in candidate.sightings if is_vote(sighting)]
        if votes:
            found.append((-(votes[-1].upvotes or 0), votes[-1].position, candidate.key))
    return [key for *_, key in sorted(found)]


def _reach(best: Sequence[int], mailed: set[int]) -> Reach:
    return Reach(sum(key in mailed for key in best), len(best))
