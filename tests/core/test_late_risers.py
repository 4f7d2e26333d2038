"""Whatever votes do behind a morning's issue, the papers that end up on top are mailed by the next one.

Days are simulated as they were recorded: a morning's page holds 61 % of the papers that the day ends with, and its
first five have 3.6 of those that are first in the end. The harder kinds of days are made up.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from newsletter.core.diff import competing, leaders_of, select
from newsletter.core.issue import Issue
from newsletter.core.listing import Candidate, Sighting
from newsletter.core.ranking import Measured
from tests.core.candidates import candidate, papers, sighting

MONDAY = date(2026, 1, 5)
LOOKBACK = 4  # pages that an issue reads, its own day's among them


@dataclass(frozen=True)
class Day:
    """A day's page: votes by key, most upvoted first, in the morning and in the end."""

    day: date
    morning: dict[int, int]
    final: dict[int, int]


@dataclass(frozen=True)
class Kind:
    """How days go: their sizes by turns, which share a morning lists, how votes spread, what a morning tells."""

    sizes: tuple[int, ...] = (28, 35, 42, 50, 24)
    listed: float = 0.61
    spread: float = 1.1
    is_lottery: bool = False  # the morning's votes and papers tell nothing of the end's


def simulated(kind: Kind, count: int, seed: int) -> list[Day]:
    """Return that many weekdays, and one behind them without any papers."""
    chance = random.Random(seed)  # noqa: S311 (not for secrets)
    weekdays = (day for day in (MONDAY + timedelta(days=n) for n in range(3 * count)) if day.weekday() < 5)
    days, key = [], 0
    for number in range(count):
        final, morning = {}, {}
        size = kind.sizes[number % len(kind.sizes)]
        votes = sorted((int(chance.lognormvariate(1.9, kind.spread)) for _ in range(size)), reverse=True)
        for place, end in enumerate(votes):
            key += 1
            final[key] = end
            favour = 0.0 if kind.is_lottery else 0.4 * (0.5 - place / size)  # good papers are listed early
            if chance.random() < kind.listed + favour:
                share = chance.random() if kind.is_lottery else chance.betavariate(6, 6)
                morning[key] = int(end * share)
        order = sorted(morning, key=lambda one: -morning[one])
        days.append(Day(next(weekdays), {one: morning[one] for one in order}, final))
    return [*days, Day(next(weekdays), {}, {})]


def page(day: date, votes: dict[int, int], seen_on: date) -> dict[int, Sighting]:
    seen_at = datetime.combine(seen_on, time(7, 45), UTC)
    return {
        key: sighting(day, seen_at=seen_at, position=position, upvotes=count)
        for position, (key, count) in enumerate(votes.items())
    }


def known(days: list[Day]) -> list[Candidate]:
    """Return what is known in the morning of the last of these days."""
    sightings: dict[int, list[Sighting]] = {}
    for one in days:
        looks = [page(one.day, one.morning, one.day)]
        if one is not days[-1]:
            looks.append(page(one.day, one.final, one.day + timedelta(days=1)))
        for look in looks:
            for key, found in look.items():
                sightings.setdefault(key, []).append(found)
    return [candidate(key, *found) for key, found in sightings.items()]


def issues(days: list[Day], limit: int) -> list[list[int]]:
    """Return the keys of what somebody without wishes is mailed each day, who gets nothing twice."""
    list_ = papers(limit)
    made: list[Issue] = []
    competed: dict[int, bool] = {}
    mailed: list[list[int]] = []
    for number, one in enumerate(days, start=1):
        candidates = known(days[max(number - LOOKBACK, 0) : number])
        previous = made[-1] if made else None
        among = Measured(candidates, previous.frozen_at if previous else None)
        fresh = competing(
            candidates,
            competed,
            among=among,
            leaders=leaders_of(list_),
        )
        had = {key for key, was_first in competed.items() if was_first}
        draft = select(fresh, list_, one.day, number=number, among=among, previous=previous, had=had)
        issue = draft.closed(number, "", datetime.combine(one.day, time(8), UTC))
        mailed.append([listing.key for listing in issue.listings[: issue.length]])
        for listing in issue.listings:
            competed[listing.key] = competed.get(listing.key, False) or listing.rank <= issue.length
        made.append(issue)
    return mailed


def missed(days: list[Day], made: list[list[int]], top: int) -> set[int]:
    """Return the keys of the days' final top papers that no issue had by the day after."""
    mailed: set[int] = set(made[0])
    found: set[int] = set()
    for one, following in zip(days, made[1:], strict=False):
        mailed |= set(following)
        found |= set(list(one.final)[:top]) - mailed
    return found


KINDS = {
    "as recorded": Kind(),
    "days of very different size": Kind(sizes=(3, 100, 12, 60, 1, 45)),
    "mornings that tell nothing": Kind(is_lottery=True),
    "mornings that list a tenth": Kind(listed=0.1),
    "few votes and many equals": Kind(spread=0.3),
    "few papers with all the votes": Kind(spread=2.2),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_the_final_top_ten_are_mailed_by_the_next_issue(kind: Kind) -> None:
    days = simulated(kind, 60, seed=4)
    made = issues(days, limit=20)
    assert missed(days, made, 10) == set()
    assert max(Counter(key for issue in made for key in issue).values()) == 1
    assert max(map(len, made)) <= 20


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_shorter_issues_reach_the_top_five(kind: Kind) -> None:
    days = simulated(kind, 60, seed=5)
    assert missed(days, issues(days, limit=10), 5) == set()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_without_a_limit_every_paper_is_mailed_once(kind: Kind) -> None:
    days = simulated(kind, 30, seed=6)
    mailed = [key for issue in issues(days, limit=0) for key in issue]
    assert sorted(mailed) == sorted(key for one in days for key in one.final)


def test_the_simulation_is_like_what_was_recorded() -> None:
    days = simulated(Kind(), 400, seed=7)[:-1]
    listed = sum(len(one.morning) / len(one.final) for one in days) / len(days)
    on_top = sum(len(set(list(one.morning)[:5]) & set(list(one.final)[:5])) for one in days) / len(days)
    assert listed == pytest.approx(0.61, abs=0.02)
    assert on_top == pytest.approx(3.6, abs=0.2)
