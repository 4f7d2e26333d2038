"""When a source is silent, a share too large, and old deliveries mean something."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import DeliveryState
from newsletter.core.watching import Limit, silent_since, stuck_states

TODAY = date(2026, 3, 12)  # a Thursday
DAYS = [TODAY - timedelta(days=ago) for ago in range(56, 0, -1)]
WORKDAYS = {day: 300 for day in DAYS if day.weekday() < 5}


def until(last: date, papers: dict[date, int]) -> dict[date, int]:
    return {day: number for day, number in papers.items() if day <= last}


def test_a_source_that_comes_out_as_ever_is_not_silent_on_any_day() -> None:
    for ago in range(14):
        today = TODAY - timedelta(days=ago)
        assert silent_since(until(today - timedelta(days=1), WORKDAYS), DAYS, today) is None


def test_three_working_days_without_papers_are_silence_two_may_be_holidays() -> None:
    said = [silent_since(until(date(2026, 3, day), WORKDAYS), DAYS, TODAY) for day in (10, 9, 8, 6)]
    assert said == [None, None, date(2026, 3, 6), date(2026, 3, 6)]


def test_a_weekend_is_no_silence_of_a_source_without_weekends() -> None:
    monday = date(2026, 3, 9)
    assert silent_since(until(date(2026, 3, 5), WORKDAYS), DAYS, monday) is None


def test_a_source_that_comes_out_weekly_is_measured_in_weeks() -> None:
    mondays = {day: 1 for day in DAYS if day.weekday() == 0}
    assert silent_since(until(date(2026, 2, 23), mondays), DAYS, TODAY) is None
    assert silent_since(until(date(2026, 2, 16), mondays), DAYS, TODAY) == date(2026, 2, 16)


def test_one_that_was_silent_as_long_before_is_only_as_ever() -> None:
    paused = {day: 5 for day in WORKDAYS if not date(2026, 2, 2) <= day <= date(2026, 2, 6)}
    assert silent_since(until(date(2026, 3, 5), paused), DAYS, TODAY) is None
    assert silent_since(until(date(2026, 3, 3), paused), DAYS, TODAY) == date(2026, 3, 3)


def test_days_for_which_it_was_not_asked_say_nothing_nor_does_a_source_that_never_showed_any() -> None:
    assert silent_since(until(date(2026, 3, 5), WORKDAYS), [day for day in DAYS if day.day < 6], TODAY) is None
    assert silent_since({}, DAYS, TODAY) is None


@given(st.dictionaries(st.sampled_from(DAYS), st.integers(0, 5)), st.sets(st.sampled_from(DAYS)))
def test_silence_begins_on_a_day_with_papers_and_lasts_for_three_days_at_least(
    papers: dict[date, int], tried: set[date]
) -> None:
    last = silent_since(papers, tried, TODAY)
    if last is not None:
        assert papers[last]
        assert len([day for day in tried if last < day < TODAY]) > 2
        assert not any(papers.get(day) for day in DAYS if day > last)


@pytest.mark.parametrize(
    ("part", "whole", "lasts", "passed"),
    [
        (9, 100, False, False),  # too few
        (10, 200, False, False),  # just five per cent
        (11, 200, False, True),
        (9, 200, True, True),  # not well below it
        (8, 200, True, False),
        (0, 0, False, False),
        (0, 0, True, False),
    ],
)
def test_a_share_is_too_large_from_the_limit_on_and_well_only_clearly_below_it(
    part: int, whole: int, *, lasts: bool, passed: bool
) -> None:
    assert Limit(percent=5, least=10).is_passed(part, whole, lasts=lasts) is passed
    assert not Limit(percent=0, least=1).is_passed(part, whole, lasts=lasts)


def test_few_deferred_deliveries_are_usual_all_that_was_never_tried_is_not() -> None:
    of = DeliveryState
    assert stuck_states({of.SENT: 1000, of.DEFERRED: 20}) == []
    assert stuck_states({of.SENT: 900, of.DEFERRED: 20}) == [of.DEFERRED]
    assert stuck_states({of.SENT: 1, of.DEFERRED: 4}) == []
    assert stuck_states({of.SENT: 1000, of.QUEUED: 1, of.UNCERTAIN: 1}) == [of.QUEUED, of.UNCERTAIN]
