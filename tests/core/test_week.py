from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.issue import Issue
from newsletter.core.layout import Layout, day_section
from newsletter.core.week import day_of_week, days_of_week, sections_of_week
from tests import factories
from tests.factories import DAY

WHY = (Reason(ReasonKind.TOPIC, "agents"),)


def week(*days: int, rose: tuple[int, ...] = (), comments: tuple[int, ...] = ()) -> Issue:
    """Return an issue of papers that were listed so many days before its own day."""
    issue = factories.issue(factories.papers(len(days)), terms=factories.terms(layout=Layout(for_you=2)))
    listings = [
        replace(
            item,
            listed_on=DAY - timedelta(days=days[position]),
            upvotes=100,
            first_upvotes=100 - rose[position] if rose else None,
            comments=comments[position] if comments else None,
        )
        for position, item in enumerate(issue.listings)
    ]
    return replace(issue, listings=tuple(listings))


def test_a_week_has_seven_days_and_what_was_listed_before() -> None:
    assert day_of_week(DAY, DAY) == DAY
    assert day_of_week(DAY - timedelta(days=6), DAY) == DAY - timedelta(days=6)
    assert day_of_week(DAY - timedelta(days=7), DAY) is None
    assert days_of_week(week(0, 9, 2, 0)) == [None, DAY - timedelta(days=2), DAY]
    assert (day_section(DAY), day_section(None)) == ("day_20260312", "day_before")


def test_the_lead_and_what_fits_the_wishes_come_before_the_days() -> None:
    issue = week(0, 1, 0, 1, 0, 8)
    shown = sections_of_week(Choice((4, 2, 1, 0, 3, 5), (WHY, WHY, WHY, WHY, (), ())), issue)
    assert (shown.lead, shown.for_you) == ((4,), (2, 1, 0))  # so few that there is room for each
    long = week(*range(8))
    shown = sections_of_week(Choice(tuple(range(8)), (WHY,) * 4 + ((),) * 4), long)
    assert (shown.lead, shown.for_you) == ((0,), (1, 2))
    days: dict[date | None, tuple[int, ...]] = {DAY - timedelta(days=number): (number,) for number in range(3, 7)}
    assert dict(shown.days) == days | {None: (7,)}
    assert not shown.brief
    assert not shown.also_today


def test_what_rose_and_what_is_discussed_is_named_once_more_the_most_first() -> None:
    issue = week(*[0] * 8, rose=(0, 5, 50, 1, 2, 3, 4, 6), comments=(0, 9, 0, 3, 8, 1, 2, 4))
    shown = sections_of_week(Choice.first(8), issue)
    assert shown.rising == (2, 7, 1, 6, 5)
    assert shown.discussed == (1, 4, 7, 3)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.data())
def test_each_paper_stands_in_one_section(days: list[int], data: st.DataObject) -> None:
    issue = week(*days, rose=(3,) * len(days))
    positions = data.draw(st.permutations(range(len(days))))
    matching = data.draw(st.integers(0, len(days)))
    choice = Choice(tuple(positions), (WHY,) * matching + ((),) * (len(days) - matching))
    shown = sections_of_week(choice, issue)
    assert sorted(shown.shown) == sorted(positions)
    assert set(shown.rising) <= set(positions)
    assert shown.minutes >= 1
