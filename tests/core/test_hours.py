"""The hours at which a list's mail may leave."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from newsletter.core.calendar import closing, late_before, local_time, opening, slot_on
from newsletter.core.newsletter_list import Cadence, Hours, NewsletterList
from tests.core.candidates import planning
from tests.core.test_calendar import DAILY, HOURS, MOMENTS, MONDAY, READER, ZONES, at

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAYTIME = replace(DAILY, hours=Hours(time(7), time(21)))
NIGHT = replace(DAILY, hours=Hours(time(20), time(6)))
BERLIN = replace(DAYTIME, timezone="Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)  # clocks change there at 01:00 UTC

SPANS = st.builds(Hours, HOURS, HOURS).filter(lambda hours: hours.since != hours.until)


def lists(spans: st.SearchStrategy[Hours]) -> st.SearchStrategy[NewsletterList]:
    return st.builds(lambda hours, timezone: replace(DAILY, hours=hours, timezone=timezone), spans, ZONES)


LISTS = lists(SPANS)
# Long enough that no change of the clocks leaves a day without them.
LONG = lists(SPANS.filter(lambda hours: hours.length > 2 * HOUR))


def test_within_its_hours_a_list_may_send_at_once() -> None:
    assert opening(DAYTIME, at(MONDAY, 7)) == at(MONDAY, 7)
    assert opening(DAYTIME, at(MONDAY, 20, 59)) == at(MONDAY, 20, 59)
    assert closing(DAYTIME, at(MONDAY, 7)) == at(MONDAY, 21)


def test_outside_of_them_it_waits_for_the_next_morning() -> None:
    assert opening(DAYTIME, at(MONDAY, 6, 59)) == at(MONDAY, 7)
    assert opening(DAYTIME, at(MONDAY, 21)) == at(MONDAY + DAY, 7)
    assert closing(DAYTIME, at(MONDAY, 21)) == at(MONDAY, 21)


def test_hours_may_go_over_midnight() -> None:
    for moment in (at(MONDAY, 20), at(MONDAY, 23, 59), at(MONDAY + DAY, 5, 59)):
        assert opening(NIGHT, moment) == moment
        assert closing(NIGHT, moment) == at(MONDAY + DAY, 6)
    assert opening(NIGHT, at(MONDAY, 6)) == opening(NIGHT, at(MONDAY, 19, 59)) == at(MONDAY, 20)


def test_a_list_without_hours_may_send_at_any_time() -> None:
    assert opening(DAILY, at(MONDAY, 3)) == at(MONDAY, 3)
    assert closing(DAILY, at(MONDAY, 3)) is None


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_on_the_day_of_a_clock_change_the_clocks_on_the_wall_count(day: date) -> None:
    before = local_time(day, time(0), "Europe/Berlin")
    opens = opening(BERLIN, before)
    assert opens == local_time(day, time(7), "Europe/Berlin")
    assert opens - before == (6 if day == SPRING else 8) * HOUR
    assert closing(BERLIN, opens) == local_time(day, time(21), "Europe/Berlin")


def test_hours_that_a_clock_change_skips_come_as_much_later_and_those_that_come_twice_come_once() -> None:
    short = replace(BERLIN, hours=Hours(time(2, 15), time(2, 45)))
    opens = opening(short, local_time(SPRING, time(0), "Europe/Berlin"))
    assert opens.astimezone(ZoneInfo("Europe/Berlin")).time() == time(3, 15)
    opens = opening(short, local_time(AUTUMN, time(0), "Europe/Berlin"))
    assert opens == local_time(AUTUMN, time(2, 15), "Europe/Berlin")
    assert opening(short, opens + HOUR) == local_time(AUTUMN + DAY, time(2, 15), "Europe/Berlin")


def test_hours_that_would_end_before_they_begin_are_left_out_that_day() -> None:
    lost = replace(BERLIN, hours=Hours(time(2, 30), time(3)))  # from 03:30 till 03:00
    midnight = local_time(SPRING, time(0), "Europe/Berlin")
    assert opening(lost, midnight) == local_time(SPRING + DAY, time(2, 30), "Europe/Berlin")


@given(LISTS, MOMENTS)
def test_at_the_opening_it_is_open_and_at_the_closing_it_is_not(list_: NewsletterList, now: datetime) -> None:
    opens = opening(list_, now)
    closes = closing(list_, opens)
    assert closes is not None
    assert now <= opens < closes
    assert opening(list_, opens) == opens
    assert opening(list_, closes) > closes
    assert closing(list_, closes) == closes
    last = closes - timedelta(microseconds=1)
    assert opening(list_, last) == last
    assert closing(list_, last) == closes


@given(LISTS, MOMENTS)
def test_while_it_is_closed_it_stays_closed_until_the_opening(list_: NewsletterList, now: datetime) -> None:
    opens = opening(list_, now)
    assume(opens > now)
    for part in range(1, 8):
        assert opening(list_, now + (opens - now) * part / 8) == opens


@given(LONG, MOMENTS)
def test_no_day_goes_by_without_an_opening(list_: NewsletterList, now: datetime) -> None:
    assert opening(list_, now) - now <= DAY + HOUR


@given(LISTS, MOMENTS)
def test_mail_leaves_when_the_clocks_on_the_wall_show_the_hours(list_: NewsletterList, now: datetime) -> None:
    zone = ZoneInfo(list_.timezone)
    offsets = {(now + days * DAY).astimezone(zone).utcoffset() for days in (-2, -1, 0, 1, 2)}
    assume(len(offsets) == 1)  # else the examples above say what comes
    shown, hours = now.astimezone(zone).time(), list_.hours
    assert hours is not None
    if hours.goes_over_midnight:
        is_within = shown >= hours.since or shown < hours.until
    else:
        is_within = hours.since <= shown < hours.until
    assert (opening(list_, now) == now) is is_within


def test_a_copy_is_planned_for_the_readers_hour_moved_into_the_hours_of_the_list() -> None:
    slot = slot_on(DAYTIME, MONDAY)
    plan = planning(DAYTIME, slot, slot.at, at_once=False)
    assert plan(READER).due_at == at(MONDAY, 8)
    assert plan(replace(READER, hour=time(18))).due_at == at(MONDAY, 18)
    assert plan(replace(READER, hour=time(23))).due_at == at(MONDAY + DAY, 7)


def test_an_issue_that_is_made_outside_of_the_hours_waits_for_them_unless_it_is_wanted_at_once() -> None:
    early = replace(DAYTIME, hour=time(5))
    slot = slot_on(early, MONDAY)
    assert planning(early, slot, slot.at, at_once=False)(READER).due_at == at(MONDAY, 7)
    assert planning(early, slot, slot.at, at_once=True)(READER).due_at == at(MONDAY, 5)


def test_without_hours_the_deadline_is_as_long_as_it_says() -> None:
    assert late_before(DAILY, at(MONDAY, 8)) == at(MONDAY, 8) - 36 * HOUR
    assert late_before(replace(DAILY, deadline=2 * HOUR), at(MONDAY, 8)) == at(MONDAY, 6)


@pytest.mark.parametrize(
    ("deadline", "hours", "due", "late_from"),
    [
        pytest.param(2, (7, 21), at(MONDAY, 8), at(MONDAY, 10), id="all within the hours"),
        pytest.param(2, (7, 21), at(MONDAY, 20), at(MONDAY + DAY, 8), id="the night doesn't count"),
        pytest.param(2, (20, 6), at(MONDAY, 5), at(MONDAY, 21), id="nor does the day"),
        pytest.param(36, (7, 21), at(MONDAY, 8), at(MONDAY + DAY, 20), id="the usual deadline spans a night"),
        pytest.param(36, (7, 9), at(MONDAY, 8), at(MONDAY + DAY, 20), id="however short the hours"),
        pytest.param(3, (7, 9), at(MONDAY, 8), at(MONDAY + DAY, 8), id="a day's hours are enough"),
    ],
)
def test_waiting_for_the_hours_makes_nothing_late(
    deadline: int, hours: tuple[int, int], due: datetime, late_from: datetime
) -> None:
    since, until = (time(hour) for hour in hours)
    list_ = replace(DAILY, hours=Hours(since, until), deadline=deadline * HOUR)
    assert late_before(list_, late_from) <= due
    assert late_before(list_, late_from + timedelta(minutes=1)) > due


@given(LONG, MOMENTS, st.sampled_from(Cadence))
def test_by_its_usual_deadline_nothing_is_late_that_only_waited_for_the_hours(
    list_: NewsletterList, due: datetime, cadence: Cadence
) -> None:
    list_ = replace(list_, cadence=cadence)
    assert late_before(list_, opening(list_, due)) <= due


@given(LISTS, MOMENTS, st.integers(1, 100))
def test_hours_never_make_anything_late_earlier(list_: NewsletterList, now: datetime, deadline: int) -> None:
    list_ = replace(list_, deadline=deadline * HOUR)
    assert late_before(list_, now) <= late_before(replace(list_, hours=None), now)
    assert late_before(list_, now) >= now - deadline * HOUR - 3 * DAY


def test_moments_are_utc() -> None:
    assert opening(BERLIN, at(MONDAY, 2)).tzinfo is UTC
