from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.calendar import (
    SHOWN_FOR,
    Slot,
    SlotState,
    Used,
    agenda,
    earliest_day,
    last_slot,
    local_time,
    next_slot,
    opening,
    reader_time,
    slot_on,
    slot_state,
)
from newsletter.core.days import read_day
from newsletter.core.newsletter_list import Cadence, Masthead, NewsletterList
from newsletter.core.subscriber import Subscriber
from tests.core.candidates import planning

MONDAY = date(2026, 3, 9)
DAILY = NewsletterList(masthead=Masthead(list="daily", title="Daily", sender="papers@example.org"), sources=())
EVERY_DAY = replace(DAILY, days=tuple(range(7)))
LONDON = replace(DAILY, timezone="Europe/London")
READER = Subscriber(list="daily", email="reader@example.org")

# Whole and half hours, both hemispheres, changes at midnight and at an hour before it, and no changes at all.
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "Europe/London",
        "America/New_York",
        "America/St_Johns",
        "America/Nuuk",
        "Australia/Lord_Howe",
        "Pacific/Auckland",
        "Africa/Cairo",
        "America/Santiago",
        "Asia/Beirut",
        "Asia/Kolkata",
        "Asia/Tokyo",
    ]
)
HOURS = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))
DAYS = st.dates(date(2023, 1, 1), date(2027, 12, 31))
MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 (aware by `timezones`)
LISTS = st.builds(
    lambda hour, timezone, cadence, days: replace(
        DAILY, hour=hour, timezone=timezone, cadence=cadence, days=tuple(sorted(days))
    ),
    HOURS,
    ZONES,
    st.sampled_from(Cadence),
    st.sets(st.integers(0, 6), min_size=1),
)


def time_of(reader: Subscriber, list_: NewsletterList, slot: Slot) -> datetime:
    """Return when a reader's copy is due."""
    return reader_time(reader.hour, reader.timezone or list_.timezone, slot)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def zoned(moment: datetime, timezone: str) -> datetime:
    return moment.astimezone(ZoneInfo(timezone))


def is_skipped(day: date, hour: time, timezone: str) -> bool:
    """Tell whether clocks never show that time on that day."""
    return zoned(local_time(day, hour, timezone), timezone).replace(tzinfo=None) != datetime.combine(day, hour)


@pytest.mark.parametrize(
    ("day", "hour", "timezone", "expected"),
    [
        (date(2026, 1, 15), time(8), "Europe/Berlin", datetime(2026, 1, 15, 7, tzinfo=UTC)),
        (date(2026, 7, 15), time(8), "Europe/Berlin", datetime(2026, 7, 15, 6, tzinfo=UTC)),
        # Skipped: 02:30 is taken at 03:30 of the new time.
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (date(2026, 3, 8), time(2, 30), "America/New_York", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        # Skipped, with a jump of half an hour: 02:15 is taken at 02:45.
        (date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe", datetime(2026, 10, 3, 15, 45, tzinfo=UTC)),
        # Skipped at midnight.
        (date(2026, 4, 24), time(0, 30), "Africa/Cairo", datetime(2026, 4, 23, 22, 30, tzinfo=UTC)),
        # Twice: the first of them.
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 11, 1), time(1, 30), "America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)
def test_a_wall_clock_time_is_one_moment(day: date, hour: time, timezone: str, expected: datetime) -> None:
    assert local_time(day, hour, timezone) == expected


def test_a_time_marked_as_the_second_of_two_is_still_the_first() -> None:
    day = date(2026, 10, 25)
    assert local_time(day, time(2, 30, fold=1), "Europe/Berlin") == local_time(day, time(2, 30), "Europe/Berlin")


@given(DAYS, HOURS, ZONES)
def test_clocks_show_the_hour_unless_it_is_skipped_and_then_a_later_one(
    day: date, hour: time, timezone: str
) -> None:
    moment = local_time(day, hour, timezone)
    late = zoned(moment, timezone).replace(tzinfo=None) - datetime.combine(day, hour)
    assert moment.tzinfo is UTC
    assert timedelta() <= late <= timedelta(hours=1)


def test_the_slot_is_the_hour_of_the_list_in_its_zone() -> None:
    assert slot_on(LONDON, date(2026, 6, 1)) == Slot(date(2026, 6, 1), at(date(2026, 6, 1), 7))


def test_a_list_is_due_from_its_very_minute_on() -> None:
    just_before = at(MONDAY, 8) - timedelta(seconds=1)
    assert last_slot(DAILY, at(MONDAY, 8)) == Slot(MONDAY, at(MONDAY, 8))
    assert last_slot(DAILY, just_before) == slot_on(DAILY, MONDAY - timedelta(days=3))
    assert next_slot(DAILY, just_before) == Slot(MONDAY, at(MONDAY, 8))
    assert next_slot(DAILY, at(MONDAY, 8)) == slot_on(DAILY, MONDAY + timedelta(days=1))


def test_no_issue_is_due_on_a_day_without_one() -> None:
    saturday = MONDAY + timedelta(days=5)
    assert last_slot(DAILY, at(saturday, 9)) == slot_on(DAILY, saturday - timedelta(days=1))
    assert next_slot(DAILY, at(saturday, 9)) == slot_on(DAILY, MONDAY + timedelta(days=7))


def test_a_weekly_list_comes_out_on_the_first_of_its_days_only() -> None:
    weekly = replace(DAILY, cadence=Cadence.WEEKLY, days=(4, 0))
    friday = MONDAY + timedelta(days=4)
    assert next_slot(weekly, at(MONDAY, 7)) == slot_on(weekly, friday)
    assert last_slot(weekly, at(friday, 8)) == slot_on(weekly, friday)
    assert last_slot(weekly, at(friday, 7)) == slot_on(weekly, friday - timedelta(days=7))


def test_a_slot_whose_issue_is_made_already_is_not_the_next_one() -> None:
    tuesday, thursday, next_monday = (MONDAY + timedelta(days=ahead) for ahead in (1, 3, 7))
    assert next_slot(DAILY, at(MONDAY, 9), [MONDAY, tuesday]) == slot_on(DAILY, MONDAY + timedelta(days=2))
    assert next_slot(DAILY, at(MONDAY, 9), [thursday]) == slot_on(DAILY, tuesday)
    weekly = replace(DAILY, cadence=Cadence.WEEKLY, days=(0,))
    assert next_slot(weekly, at(MONDAY, 9), [next_monday]) == slot_on(weekly, MONDAY + timedelta(days=14))


@given(LISTS, MOMENTS)
def test_no_slot_that_is_to_come_is_of_an_earlier_day_than_is_looked_at(
    list_: NewsletterList, now: datetime
) -> None:
    slot = next_slot(list_, now)
    assert slot is None or slot.day > earliest_day(now)


def test_a_list_without_days_is_never_due() -> None:
    for cadence in Cadence:
        empty = replace(DAILY, days=(), cadence=cadence)
        assert last_slot(empty, at(MONDAY, 9)) is None
        assert next_slot(empty, at(MONDAY, 9)) is None


def state(list_: NewsletterList, now: datetime, used: Used | None = None) -> SlotState:
    slot = last_slot(list_, now)
    assert slot is not None
    return slot_state(list_, slot, used or Used(), now)


@pytest.mark.parametrize(
    ("wishes", "deadline"),
    [
        ({}, timedelta(hours=36)),
        ({"deadline": timedelta(hours=3)}, timedelta(hours=3)),
        ({"deadline": timedelta(days=3), "days": (0,)}, timedelta(days=3)),
        ({"cadence": Cadence.WEEKLY}, timedelta(days=4)),
        ({"cadence": Cadence.WEEKLY, "deadline": timedelta(days=6)}, timedelta(days=6)),
    ],
)
def test_an_hour_that_passed_unused_is_caught_up_until_the_deadline_and_then_missed(
    wishes: dict[str, Any], deadline: timedelta
) -> None:
    list_ = replace(DAILY, **{"days": (4,), **wishes})
    slot = last_slot(list_, at(MONDAY, 9))
    assert slot is not None
    assert state(list_, slot.at) is SlotState.DUE
    assert state(list_, slot.at + deadline) is SlotState.DUE
    assert state(list_, slot.at + deadline + timedelta(seconds=1)) is SlotState.MISSED


def test_a_deadline_longer_than_the_way_to_the_next_slot_leaves_that_one_due() -> None:
    list_ = replace(EVERY_DAY, deadline=timedelta(days=9))
    assert last_slot(list_, at(MONDAY, 7)) == slot_on(list_, MONDAY - timedelta(days=1))
    assert state(list_, at(MONDAY, 7)) is SlotState.DUE
    assert last_slot(list_, at(MONDAY, 8)) == slot_on(list_, MONDAY)


def test_an_hour_that_was_used_is_never_missed() -> None:
    slot = slot_on(DAILY, MONDAY)
    for used in (Used(made_at=slot.at), Used(made_at=slot.at - timedelta(days=9)), Used(in_vain=True)):
        assert slot_state(DAILY, slot, used, slot.at + SHOWN_FOR) is SlotState.DUE
        assert slot_state(DAILY, slot, used, slot.at + SHOWN_FOR + timedelta(seconds=1)) is SlotState.OVER
        assert slot_state(DAILY, slot, used, slot.at + timedelta(days=5)) is SlotState.OVER


def test_an_hour_after_which_an_issue_of_a_later_day_was_made_is_over() -> None:
    slot = slot_on(DAILY, MONDAY)
    for late in (timedelta(), timedelta(hours=5), timedelta(days=5)):
        assert slot_state(DAILY, slot, Used(is_overtaken=True), slot.at + late) is SlotState.OVER


def test_a_late_issue_is_shown_as_long_as_others() -> None:
    slot = slot_on(DAILY, MONDAY)
    used = Used(made_at=slot.at + timedelta(hours=30))
    assert slot_state(DAILY, slot, used, slot.at + timedelta(hours=30) + SHOWN_FOR) is SlotState.DUE
    assert slot_state(DAILY, slot, used, slot.at + timedelta(hours=31) + SHOWN_FOR) is SlotState.OVER


def test_what_had_nothing_to_send_is_not_tried_again_after_a_short_deadline() -> None:
    brief, slot = replace(DAILY, deadline=timedelta(hours=3)), slot_on(DAILY, MONDAY)
    used = Used(in_vain=True)
    assert slot_state(brief, slot, used, slot.at + timedelta(hours=3)) is SlotState.DUE
    assert slot_state(brief, slot, used, slot.at + timedelta(hours=4)) is SlotState.OVER


def test_a_new_list_begins_on_the_day_on_which_it_is_first_seen_or_with_its_next_slot() -> None:
    new = Used(is_new=True)
    friday = MONDAY + timedelta(days=4)
    assert state(DAILY, at(friday, 14), new) is SlotState.DUE
    assert state(DAILY, at(friday + timedelta(days=1), 7), new) is SlotState.OVER
    assert state(DAILY, at(friday + timedelta(days=2), 23), new) is SlotState.OVER
    assert state(replace(DAILY, deadline=timedelta(hours=3)), at(friday, 14), new) is SlotState.OVER


def test_a_deadline_is_as_long_as_it_says_when_the_clocks_change() -> None:
    berlin = replace(EVERY_DAY, hour=time(1), timezone="Europe/Berlin", deadline=timedelta(hours=20))
    for day in (date(2026, 3, 29), date(2026, 10, 25)):
        slot = slot_on(berlin, day)
        assert state(berlin, slot.at + timedelta(hours=20)) is SlotState.DUE
        assert state(berlin, slot.at + timedelta(hours=20, seconds=1)) is SlotState.MISSED


@pytest.mark.parametrize("text", ["2026-03-12", "1970-01-01", "2199-12-31", "2024-02-29"])
def test_a_day_is_read_as_it_is_written(text: str) -> None:
    assert read_day(text).isoformat() == text


@pytest.mark.parametrize(
    "text",
    [
        *("0001-01-01", "9999-12-31", "1969-12-31", "2200-01-01", "2026-02-29", "2026-13-01", "", "today"),
        *("20260312", "2026-W11-4", "12.3.2026", "2026-03-12T08:00", " 2026-03-12", "２０２６-03-12", "2026-3-12"),
        "9" * 5000,
    ],
)
def test_what_is_no_day_of_a_newsletter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write") as caught:
        read_day(text)
    assert len(str(caught.value)) < 120


def test_the_day_is_that_of_the_lists_own_zone() -> None:
    auckland = replace(EVERY_DAY, timezone="Pacific/Auckland")
    slot = last_slot(auckland, at(MONDAY, 20))
    assert slot is not None
    assert slot.day == MONDAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        pytest.param(date(2026, 3, 29), time(2, 30), id="the hour is skipped"),
        pytest.param(date(2026, 10, 25), time(2, 30), id="the hour comes twice"),
    ],
)
def test_a_clock_change_makes_one_issue_of_the_day(day: date, hour: time) -> None:
    berlin = replace(EVERY_DAY, hour=hour, timezone="Europe/Berlin")
    start = local_time(day, time(0), "Europe/Berlin")
    ticks = [start + timedelta(minutes=minutes) for minutes in range(0, 26 * 60, 10)]
    due = [slot for tick in ticks if (slot := last_slot(berlin, tick)) is not None and slot.day == day]
    assert set(due) == {slot_on(berlin, day)}


def test_a_skipped_hour_before_midnight_is_found_on_the_next_date() -> None:
    # Clocks in Nuuk went from 23:00 to midnight, so half past eleven never came.
    nuuk = replace(EVERY_DAY, hour=time(23, 30), timezone="America/Nuuk")
    day = date(2024, 3, 30)
    assert is_skipped(day, nuuk.hour, nuuk.timezone)
    slot = slot_on(nuuk, day)
    assert zoned(slot.at, nuuk.timezone).date() == day + timedelta(days=1)
    assert next_slot(nuuk, slot.at - timedelta(minutes=10)) == slot
    assert last_slot(nuuk, slot.at) == slot


@given(LISTS, MOMENTS)
def test_the_last_and_the_next_slot_enclose_the_present(list_: NewsletterList, now: datetime) -> None:
    last, following = last_slot(list_, now), next_slot(list_, now)
    assert last is not None
    assert following is not None
    assert last.at <= now < following.at
    assert last.day < following.day
    # Nothing lies between them.
    assert last_slot(list_, following.at - timedelta(microseconds=1)) == last
    assert next_slot(list_, last.at) == following


@given(LISTS, MOMENTS)
def test_walking_from_slot_to_slot_gives_each_day_of_the_list_once(list_: NewsletterList, now: datetime) -> None:
    wanted = set(list_.days if list_.cadence is Cadence.DAILY else list_.days[:1])
    walked = []
    for _ in range(15):
        slot = next_slot(list_, now)
        assert slot is not None
        walked.append(slot.day)
        now = slot.at
    span = [walked[0] + timedelta(days=one) for one in range((walked[-1] - walked[0]).days + 1)]
    assert walked == [day for day in span if day.weekday() in wanted]


@given(LISTS, MOMENTS, st.none() | st.integers(1, 300).map(lambda hours: timedelta(hours=hours)))
def test_an_unused_hour_is_due_or_missed_and_nothing_else(
    list_: NewsletterList, now: datetime, deadline: timedelta | None
) -> None:
    list_ = replace(list_, deadline=deadline)
    slot = last_slot(list_, now)
    assert slot is not None
    late = now - slot.at > list_.stale_after
    assert state(list_, now) is (SlotState.MISSED if late else SlotState.DUE)


def test_a_reader_without_an_hour_gets_the_issue_when_it_is_out() -> None:
    slot = slot_on(LONDON, MONDAY)
    assert time_of(replace(READER, timezone="Asia/Tokyo"), LONDON, slot) == slot.at


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # Out at 08:00 in London, which is evening in Tokyo: so it is there the next morning.
        pytest.param(date(2026, 3, 12), datetime(2026, 3, 12, 22, 30, tzinfo=UTC), id="winter"),
        pytest.param(date(2026, 6, 12), datetime(2026, 6, 12, 22, 30, tzinfo=UTC), id="summer"),
    ],
)
def test_a_reader_in_tokyo_of_a_list_in_london_gets_it_on_the_next_morning(day: date, expected: datetime) -> None:
    reader = replace(READER, hour=time(7, 30), timezone="Asia/Tokyo")
    moment = time_of(reader, LONDON, slot_on(LONDON, day))
    assert moment == expected
    assert zoned(moment, "Asia/Tokyo") == datetime.combine(
        day + timedelta(days=1), time(7, 30), ZoneInfo("Asia/Tokyo")
    )


def test_a_reader_to_the_west_gets_it_on_the_same_morning() -> None:
    reader = replace(READER, hour=time(7), timezone="America/New_York")
    moment = time_of(reader, LONDON, slot_on(LONDON, date(2026, 1, 15)))
    assert moment == datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_an_hour_without_a_zone_is_in_the_lists_zone() -> None:
    slot = slot_on(LONDON, date(2026, 6, 1))
    assert time_of(replace(READER, hour=time(8)), LONDON, slot) == slot.at
    assert time_of(replace(READER, hour=time(18)), LONDON, slot) == at(slot.day, 17)
    assert time_of(replace(READER, hour=time(7, 59)), LONDON, slot) == at(slot.day + timedelta(days=1), 6, 59)


@given(LISTS, DAYS, HOURS, ZONES)
def test_a_readers_copy_is_due_within_a_day_of_the_slot_at_the_readers_hour(
    list_: NewsletterList, day: date, hour: time, timezone: str
) -> None:
    slot = slot_on(list_, day)
    moment = time_of(replace(READER, hour=hour, timezone=timezone), list_, slot)
    shown = zoned(moment, timezone)
    assert slot.at <= moment <= slot.at + timedelta(hours=25)  # the day of a change back has 25 hours
    skipped = is_skipped(shown.date(), hour, timezone) or is_skipped(
        shown.date() - timedelta(days=1), hour, timezone
    )
    assert skipped or shown.time() == hour


@given(LISTS, MOMENTS, HOURS, ZONES)
def test_a_readers_copies_come_in_the_order_of_the_issues(
    list_: NewsletterList, now: datetime, hour: time, timezone: str
) -> None:
    reader = replace(READER, hour=hour, timezone=timezone)
    last, following = last_slot(list_, now), next_slot(list_, now)
    assert last is not None
    assert following is not None
    assert time_of(reader, list_, last) <= time_of(reader, list_, following)


def test_a_copy_is_planned_for_the_readers_hour_or_now_if_that_is_past() -> None:
    slot = slot_on(DAILY, MONDAY)
    evening = replace(READER, hour=time(18))
    plan = planning(DAILY, slot, slot.at, at_once=False)
    assert plan(evening).due_at == at(MONDAY, 18)
    assert plan(READER).due_at == slot.at
    late = at(MONDAY, 19)
    assert planning(DAILY, slot, late, at_once=False)(evening).due_at == late


def test_an_issue_on_request_is_due_at_once_for_everybody() -> None:
    now = at(MONDAY, 3)
    plan = planning(DAILY, slot_on(DAILY, MONDAY), now, at_once=True)
    assert plan(replace(READER, hour=time(18))).due_at == now


@pytest.mark.parametrize("at_once", [True, False])
def test_who_wants_another_cadence_gets_no_copy_and_a_reason(at_once: bool) -> None:
    slot = slot_on(DAILY, MONDAY)
    plan = planning(DAILY, slot, slot.at, at_once=at_once)
    planned = plan(replace(READER, cadence=Cadence.WEEKLY))
    assert planned.due_at is None
    assert planned.reason == "wants a weekly issue, this one is daily"
    assert plan(replace(READER, cadence=Cadence.DAILY)).due_at == slot.at


@given(LISTS, MOMENTS)
def test_the_agenda_of_a_moment_is_what_the_calendar_says_one_by_one(list_: NewsletterList, now: datetime) -> None:
    at = agenda(list_, now)
    assert (at.last, at.opens) == (last_slot(list_, now), opening(list_, now))
    assert at.today == now.astimezone(ZoneInfo(list_.timezone)).date()
    assert (at.named, at.slot) == (None, at.last)
    if at.last is None:
        assert (at.day, at.state(Used())) == (at.today, SlotState.OVER)
    else:
        assert at.day == (at.last.day if now - at.last.at <= list_.stale_after else at.today)
        assert at.state(Used()) is slot_state(list_, at.last, Used(), now)


@given(LISTS, MOMENTS, DAYS)
def test_the_issue_of_a_day_that_is_named_is_due_whatever_the_hour(
    list_: NewsletterList, now: datetime, day: date
) -> None:
    at = agenda(list_, now, day=day)
    assert at.slot == at.named == slot_on(list_, day)
    assert at.day == day
    assert at.state(Used(in_vain=True)) is SlotState.DUE
    assert at.last == last_slot(list_, now)
