"""The order of candidates, which of them an issue has room for, and why each is in.

::

    score = votes · d(v / v̄) + growth · d(Δv / v̄)        v upvotes, v̄ their mean on the paper's page, at least 1
          + comments · d(c / 10)                          c comments
          + stars · (d(s / 1000) + d(Δs / 100))           s stars of the code
          + hackernews · d(p / 100)                       p points on Hacker News
          - freshness · days                              since a source first listed it

`d(x) = log2(1 + x)` damps: what is worth 1 has to triple to be worth 2. `Δ` is the growth since the list's
previous issue; the votes of a paper that was not seen then have grown from nothing. The weights are those of the
list's `[ranking]`. A page is what one source shows for one day. Votes are held against their own page, so that a
day of few votes, or a morning that has only begun, is not drowned by a day that is over. Where no page counts
votes, the sources' own order is all that is known, and comments and stars don't disturb it. Equal scores go by the
newest day, then the place on the page, then the paper's ids.

Room in an issue goes by *standing* first: the place by upvotes among all papers of the page, sent ones too. One
that stands within the first half of an issue's length goes before all that don't. So today's leaders fit in
together with those of yesterday's that rose after yesterday's issue, whatever the weights; what room is left goes
by score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from math import log2
from typing import NamedTuple, TypeAlias

from newsletter.core.listing import Candidate, Sighting
from newsletter.core.text import counted

_COMMENTS, _STARS, _NEW_STARS, _POINTS = 10, 1000, 100, 100
_HACKERNEWS = "hackernews"

# The source and the day that a page is for.
_Page: TypeAlias = "tuple[str, date]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each signal counts, none below 0; `freshness` is what a day of age costs."""

    votes: float = 1.0
    growth: float = 0.5
    comments: float = 0.25
    stars: float = 0.25
    hackernews: float = 0.5
    freshness: float = 0.25


# What there is to say of a listing that no source counts anything of.
NEW = "new"
ROSE_LATE = "rose late"

VOTES_ONLY = Weights(growth=0, comments=0, stars=0, hackernews=0, freshness=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What is ranked for: the issue of a day, with day and moment (UTC) of the list's issue before it, if any.

    With `whole` all days that compete are one: votes are held against the mean of all pages of their source.
    """

    day: date
    previous_day: date | None = None
    previous_at: datetime | None = None
    whole: bool = False


class Parts(NamedTuple):
    """What each signal adds to a score; `freshness` is what the days take from it, and so never above 0."""

    votes: float = 0.0
    growth: float = 0.0
    comments: float = 0.0
    stars: float = 0.0
    new_stars: float = 0.0
    hackernews: float = 0.0
    freshness: float = 0.0

    @property
    def score(self) -> float:
        """Return what they come to."""
        of_page = self.hackernews + (self.votes + self.growth)
        return of_page + self.comments + self.stars + self.new_stars + self.freshness


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A candidate with what it is worth, its standing (from 1, None without votes), and why it is in, in words.

    Counts are the newest known, the largest over the sources; votes on Hacker News are none.
    """

    candidate: Candidate
    parts: Parts
    standing: int | None
    reasons: tuple[str, ...]
    upvotes: int | None
    first_upvotes: int | None  # on the page where it has most now, when they were first seen
    comments: int | None
    stars: int | None
    position: int  # on its page

    @property
    def score(self) -> float:
        """Return what the candidate is worth."""
        return self.parts.score


class Measured:
    """Candidates with what their sightings come to, worked out once for an issue.

    Args:
        candidates: all that stands on the pages, sent papers too: those that compete are held against it.
        previous_at: when the list's issue before it was closed (UTC), if there is one.
    """

    def __init__(self, candidates: Iterable[Candidate], previous_at: datetime | None) -> None:
        self.candidates = tuple(candidates)
        self.facts = {candidate.key: _facts(candidate, previous_at) for candidate in self.candidates}
        self._is_first = previous_at is None

    @cached_property
    def standings(self) -> Mapping[int, int]:
        """Return the place by votes of each candidate that has any, by key, on the page where it stands best."""
        return _standings({key: known.votes for key, known in self.facts.items()}, self.facts)

    def listed_on(self, day: date) -> int:
        """Return how many candidates a source lists on a day."""
        return sum(any(one.listed_on == day for one in each.sightings) for each in self.candidates)

    def growth(self, key: int) -> int:
        """Return how many upvotes a candidate got since the issue before, on the page where these are most.

        What was not seen then has not grown.
        """
        return max(_growth(self.facts[key]), 0)

    def risen(self, leaders: int) -> frozenset[int]:
        """Return the keys of candidates that are among a page's leaders now, and were not at the issue before.

        Args:
            leaders: up to which place they are leaders; 0: nothing is.
        """
        if self._is_first or not leaders:
            return frozenset()
        then = _standings({key: known.votes_before for key, known in self.facts.items()}, self.facts)
        return frozenset(
            key for key, place in self.standings.items() if place <= leaders < then.get(key, leaders + 1)
        )


def ranked(
    fresh: Iterable[Candidate], occasion: Occasion, weights: Weights, *, among: Measured | None = None
) -> list[Ranked]:
    """Return candidates best first.

    Args:
        fresh: what competes, each once.
        occasion: the issue that they compete for.
        weights: how much each signal counts.
        among: these and all that else stands on their pages, measured for the occasion; None: they stand alone.
    """
    fresh = list(fresh)
    measured = among or Measured(fresh, occasion.previous_at)
    means = _means(measured.facts.values(), whole=occasion.whole)
    order = []
    for candidate in fresh:
        known = measured.facts[candidate.key]
        age = max((occasion.day - candidate.first_listed_on).days, 0)
        order.append(
            Ranked(
                candidate=candidate,
                parts=_parts(known, weights, means)._replace(freshness=-weights.freshness * age),
                standing=measured.standings.get(candidate.key),
                reasons=_reasons(known, candidate.first_listed_on, occasion),
                upvotes=_most(known.votes),
                first_upvotes=known.first_votes,
                comments=known.comments,
                stars=known.stars,
                position=known.position,
            )
        )
    return sorted(order, key=_order)


def fitting(order: Sequence[Ranked], limit: int, *, leaders: int) -> list[Ranked]:
    """Return those that an issue has room for, in their order.

    Args:
        order: candidates, best first.
        limit: how many there is room for; 0: for all.
        leaders: those with a standing up to this go first, by their standing.
    """
    if not limit:
        return list(order)
    last = leaders + 1
    places = sorted(range(len(order)), key=lambda place: min(order[place].standing or last, last))
    return [order[place] for place in sorted(places[:limit])]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the sightings of a candidate come to. `before` is of the previous issue's moment."""

    votes: Mapping[_Page, int]
    votes_before: Mapping[_Page, int]
    first_votes: int | None
    comments: int | None
    stars: int | None
    stars_before: int | None
    points: int
    position: int


def _facts(candidate: Candidate, previous_at: datetime | None) -> _Facts:
    news = [one for one in candidate.sightings if _is_hackernews(one)]
    seen = [one for one in candidate.sightings if not _is_hackernews(one)]
    before = [one for one in seen if previous_at is not None and one.seen_at <= previous_at]
    comments = _most(_newest(seen, "comments"))
    votes = _newest(seen, "upvotes")
    return _Facts(
        votes=votes,
        votes_before=_newest(before, "upvotes"),
        first_votes=_newest(reversed(seen), "upvotes")[max(votes, key=votes.__getitem__)] if votes else None,
        comments=_most(_newest(news, "comments")) if comments is None else comments,
        stars=_most(_newest(seen, "stars")),
        stars_before=_most(_newest(before, "stars")),
        points=_most(_newest(news, "upvotes")) or 0,
        position=(seen or news)[-1].position,
    )


class Counts(NamedTuple):
    """What sources counted of a listing; None: none of them does."""

    upvotes: int | None
    comments: int | None
    stars: int | None


def newest_counts(sightings: Iterable[Sighting]) -> Counts:
    """Return the newest known counts of a listing, each from the page where it is largest.

    Args:
        sightings: of one listing, oldest first; points and comments on Hacker News count for nothing here.
    """
    seen = [one for one in sightings if not _is_hackernews(one)]
    return Counts(*(_most(_newest(seen, measure)) for measure in Counts._fields))


def is_vote(sighting: Sighting) -> bool:
    """Return whether a sighting counts upvotes; points on Hacker News are a signal of their own."""
    return sighting.upvotes is not None and not _is_hackernews(sighting)


def _is_hackernews(sighting: Sighting) -> bool:
    return sighting.source.partition(":")[0] == _HACKERNEWS


def _newest(sightings: Iterable[Sighting], measure: str) -> dict[_Page, int]:
    """Return the newest known count of each page; sightings come oldest first."""
    return {
        (one.source, one.listed_on): count for one in sightings if (count := getattr(one, measure)) is not None
    }


def _most(counts: Mapping[_Page, int]) -> int | None:
    return max(counts.values(), default=None)


def _means(facts: Iterable[_Facts], *, whole: bool) -> dict[_Page, float]:
    """Return the mean votes of each page, at least 1; with `whole` those of all pages of its source."""
    votes: dict[object, list[int]] = defaultdict(list)
    pages = set()
    for known in facts:
        for page, count in known.votes.items():
            pages.add(page)
            votes[page[0] if whole else page].append(count)
    means = {scope: max(sum(counts) / len(counts), 1.0) for scope, counts in votes.items()}
    return {page: means[page[0] if whole else page] for page in pages}


def _standings(votes: Mapping[int, Mapping[_Page, int]], facts: Mapping[int, _Facts]) -> dict[int, int]:
    """Return the place by these votes of each candidate, by key, on the page where it stands best."""
    pages: dict[_Page, list[tuple[int, int, int]]] = defaultdict(list)
    for key, counts in votes.items():
        for page, count in counts.items():
            pages[page].append((-count, facts[key].position, key))
    best: dict[int, int] = {}
    for members in pages.values():
        for standing, (*_, key) in enumerate(sorted(members), start=1):
            best[key] = min(standing, best.get(key, standing))
    return best


def _parts(known: _Facts, weights: Weights, means: Mapping[_Page, float]) -> Parts:
    """Return what the signals come to, but for its age; votes and growth are those of its best page."""
    points = weights.hackernews * _damped(known.points / _POINTS)
    if not known.votes:
        return Parts(hackernews=points)
    of_pages = (
        (
            weights.votes * _damped(count / means[page]),
            weights.growth * _damped((count - known.votes_before.get(page, 0)) / means[page]),
        )
        for page, count in known.votes.items()
    )
    votes, growth = max(of_pages, key=sum)
    new_stars = 0.0
    if known.stars is not None and known.stars_before is not None:
        new_stars = weights.stars * _damped((known.stars - known.stars_before) / _NEW_STARS)
    return Parts(
        votes=votes,
        growth=growth,
        comments=weights.comments * _damped((known.comments or 0) / _COMMENTS),
        stars=weights.stars * _damped((known.stars or 0) / _STARS),
        new_stars=new_stars,
        hackernews=points,
    )


def _damped(value: float) -> float:
    return log2(1 + max(value, 0.0))


def _order(one: Ranked) -> tuple[float, int, int, tuple[str, ...]]:
    """Return what to sort by. What a listing is known by stands in for its id, which takes long to work out."""
    listing = one.candidate.listing
    known_by = (listing.arxiv_id, listing.doi, listing.url, listing.title)
    return -one.score, -one.candidate.first_listed_on.toordinal(), one.position, known_by


def _reasons(known: _Facts, listed_on: date, occasion: Occasion) -> tuple[str, ...]:
    """Return in words why a candidate is in; at least that it is new."""
    votes = _most(known.votes) or 0
    found = []
    if votes:
        found.append(counted(votes, "upvote"))
        growth = _growth(known)
        if growth > 0:
            found.append(f"+{growth:,} since {_since(occasion)}")
    if known.points:
        found.append(f"{counted(known.points, 'point')} on Hacker News")
    if votes and occasion.previous_day is not None and listed_on <= occasion.previous_day:
        found.append(ROSE_LATE)
    return tuple(found) or (NEW,)


def _growth(known: _Facts) -> int:
    return max((known.votes[page] - count for page, count in known.votes_before.items()), default=0)


def _since(occasion: Occasion) -> str:
    """Return the day of the previous issue as a reader would say it."""
    is_yesterday = occasion.previous_day == occasion.day - timedelta(days=1)
    return "yesterday" if is_yesterday else "the last issue"
