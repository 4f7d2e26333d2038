from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.arxiv_calendar import batch_due, submitted

MONDAY = date(2026, 3, 9)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("offset", "since", "until"),
    [
        (0, "2026-03-05T19:00", "2026-03-06T19:00"),  # Thursday to Friday, 14:00 in New York
        (1, "2026-03-06T19:00", "2026-03-09T18:00"),  # over the weekend on which the clocks changed
        (2, "2026-03-09T18:00", "2026-03-10T18:00"),
        (3, "2026-03-10T18:00", "2026-03-11T18:00"),
        (4, "2026-03-11T18:00", "2026-03-12T18:00"),
    ],
)
def test_a_batch_holds_what_came_by_two_in_the_afternoon(offset: int, since: str, until: str) -> None:
    window = submitted(MONDAY + offset * DAY)
    assert window is not None
    assert [f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" for moment in window] == [since, until]


def test_a_weekend_has_no_batch() -> None:
    assert [submitted(MONDAY + offset * DAY) for offset in (5, 6)] == [None, None]


@given(st.dates(date(2000, 1, 3), date(2100, 1, 1)))
def test_batches_follow_each_other_without_a_gap(day: date) -> None:
    window = submitted(day)
    later = next(one for offset in range(1, 4) if (one := submitted(day + offset * DAY)))
    assert window is None or window[1] == later[0]


@pytest.mark.parametrize(
    ("day", "now", "due"),
    [
        (date(2026, 3, 12), "2026-03-12T09:00", date(2026, 3, 12)),
        (date(2026, 3, 12), "2026-03-11T23:00", date(2026, 3, 11)),  # a list in Tokyo, at eight in the morning
        (date(2026, 3, 12), "2026-03-12T05:00", date(2026, 3, 11)),  # an hour after it should be there
        (date(2026, 3, 12), "2026-11-28T12:00", date(2026, 3, 12)),  # made later, for that day
        (date(2026, 3, 14), "2026-03-14T12:00", date(2026, 3, 13)),
        (date(2026, 3, 15), "2026-03-15T12:00", date(2026, 3, 13)),
        (date(2026, 3, 16), "2026-03-16T12:00", date(2026, 3, 16)),
    ],
)
def test_a_feed_must_show_the_batch_of_its_day_or_of_friday(day: date, now: str, due: date) -> None:
    assert batch_due(day, datetime.fromisoformat(now).replace(tzinfo=UTC)) == due
