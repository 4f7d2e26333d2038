from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.calendar import slot_on
from newsletter.core.newsletter_list import Cadence
from newsletter.core.steps import OTHER_DAY, PAUSED
from newsletter.core.subscriber import Subscriber, Wishes
from newsletter.core.topics import Topic
from newsletter.core.wishes import Dropped, fitted
from tests.core.candidates import planning
from tests.core.test_calendar import DAILY, MONDAY

LIST = replace(DAILY, topics={"agents": Topic(name="agents")})
LANGUAGES = ("en", "de", "zh-Hans")


def test_what_the_list_cannot_meet_is_dropped_and_named() -> None:
    wishes = Wishes(topics=("agents", "gone", "agents"), days=(6, 3, 0), cadence=Cadence.WEEKLY, language="it")
    kept, dropped = fitted(wishes, LIST, LANGUAGES)
    assert kept == wishes._replace(topics=("agents",), days=(0, 3), language=None)
    assert dropped == (Dropped("topics", "gone"), Dropped("days", "sun"), Dropped("language", "it"))


def test_days_on_which_the_list_never_comes_out_leave_those_of_the_list() -> None:
    kept, dropped = fitted(Wishes(days=(5, 6)), LIST, LANGUAGES)
    assert kept.days is None
    assert [one.value for one in dropped] == ["sat", "sun"]


def test_a_weekly_list_has_no_daily_issues() -> None:
    weekly = replace(LIST, cadence=Cadence.WEEKLY)
    assert fitted(Wishes(cadence=Cadence.DAILY), weekly, LANGUAGES) == (Wishes(), (Dropped("cadence", "daily"),))


def test_a_language_is_kept_as_the_catalogue_that_has_its_words() -> None:
    assert fitted(Wishes(language="zh-CN"), LIST, LANGUAGES) == (Wishes(language="zh-Hans"), ())


@given(
    st.lists(st.sampled_from(["agents", "x"])),
    st.none() | st.lists(st.integers(0, 6), min_size=1).map(tuple),
    st.none() | st.sampled_from(Cadence),
    st.none() | st.sampled_from(["de-AT", "it"]),
)
def test_what_fits_is_changed_no_more(
    topics: list[str], days: tuple[int, ...] | None, cadence: Cadence | None, language: str | None
) -> None:
    kept, _ = fitted(Wishes(topics=tuple(topics), days=days, cadence=cadence, language=language), LIST, LANGUAGES)
    assert fitted(kept, LIST, LANGUAGES) == (kept, ())


def test_a_subscriber_has_all_wishes_that_a_reader_may_change() -> None:
    wishes = Wishes(name="Ann", days=(0,), language="de", paused_until=date(2026, 5, 1))
    reader = Subscriber(list="daily", email="ann@example.org")
    assert replace(reader, **wishes._asdict()).wishes == wishes


def planned(day: date, *, cadence: Cadence = Cadence.DAILY, at_once: bool = False, **wishes: Any) -> str:
    """Return why a reader gets no issue of a day, or nothing."""
    list_ = replace(DAILY, cadence=cadence)
    reader = Subscriber(list="daily", email="ann@example.org", **wishes)
    slot = slot_on(list_, day)
    found = planning(list_, slot, slot.at, at_once=at_once)(reader)
    assert (found.due_at is None) == bool(found.reason)
    return found.reason


def test_an_issue_is_for_those_whose_day_it_is() -> None:
    week = [MONDAY + timedelta(days=ahead) for ahead in range(5)]
    wanted = ["", OTHER_DAY.reason, OTHER_DAY.reason, "", OTHER_DAY.reason]
    assert [planned(day, days=(0, 3)) for day in week] == wanted
    assert [planned(day, days=(0, 3), at_once=True) for day in week] == wanted
    assert [planned(day) for day in week] == [""] * 5


def test_days_choose_among_daily_issues_and_not_the_day_of_the_weekly_one() -> None:
    assert planned(MONDAY, cadence=Cadence.WEEKLY, days=(3,)) == ""


def test_days_that_the_list_has_no_more_keep_nobody_from_their_mail() -> None:
    assert planned(MONDAY, days=(5, 6)) == ""


@pytest.mark.parametrize("cadence", Cadence)
def test_a_pause_ends_by_itself_with_the_issue_of_its_day(cadence: Cadence) -> None:
    days = [MONDAY + timedelta(days=ahead) for ahead in range(-1, 2)]
    paused = [planned(day, cadence=cadence, paused_until=MONDAY) for day in days]
    assert paused == [PAUSED.reason, "", ""]
    assert planned(MONDAY, cadence=cadence, paused_until=days[2], at_once=True) == PAUSED.reason
