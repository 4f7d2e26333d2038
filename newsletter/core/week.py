"""How a weekly mail shows what a reader gets: the best by day, what still rises, what is discussed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from newsletter.core.choice import Choice
from newsletter.core.issue import Issue, IssueListing
from newsletter.core.layout import Sections, sections

_WEEK = timedelta(days=7)
_OF_EACH_DAY = 3
_RISING, _DISCUSSED = 5, 4  # papers that are named once more, by what happened to them


def day_of_week(listed_on: date, last_day: date) -> date | None:
    """Return the day under which the week that ends on `last_day` shows a listing; None: it is from before."""
    return listed_on if last_day - _WEEK < listed_on else None


def best_of_days(issue: Issue) -> tuple[int, ...]:
    """Return the positions of the best three listings of each day of a weekly issue, best first.

    The issue's own order says what is best: the votes.
    """
    count: Counter[date] = Counter()
    best = []
    for position, one in enumerate(issue.listings):
        day = day_of_week(one.listed_on, issue.day)
        if day is not None and count[day] < _OF_EACH_DAY and not one.again:
            count[day] += 1
            best.append(position)
    return tuple(best)


def days_of_week(issue: Issue) -> list[date | None]:
    """Return the days on which sources first showed an issue's listings, oldest first; None first of all."""
    found = {day_of_week(one.listed_on, issue.day) for one in issue.listings}
    return sorted(found, key=lambda day: day or date.min)


def sections_of_week(choice: Choice, issue: Issue) -> Sections:
    """Return how a choice is shown in a weekly mail: the lead, what fits the reader's wishes, the rest by its day.

    A weekly mail has no cards, but as many lines for the reader's wishes.
    """
    daily = sections(choice, replace(issue.terms.layout, also_today=0))
    days: dict[date | None, tuple[int, ...]] = {}
    for position in sorted((*daily.also_today, *daily.brief)):
        day = day_of_week(issue.listings[position].listed_on, issue.day)
        days[day] = (*days.get(day, ()), position)
    return Sections(
        lead=daily.lead,
        for_you=daily.for_you,
        days=days,
        rising=_most(choice.positions, issue.listings, lambda one: one.rose_by, _RISING),
        discussed=_most(choice.positions, issue.listings, lambda one: one.comments or 0, _DISCUSSED),
    )


def _most(
    positions: Iterable[int], listings: Sequence[IssueListing], value: Callable[[IssueListing], int], count: int
) -> tuple[int, ...]:
    """Return the positions of the highest values above 0, highest first."""
    values = {position: value(listings[position]) for position in positions}
    found = [position for position in values if values[position] > 0]
    return tuple(sorted(found, key=lambda position: (-values[position], position))[:count])
