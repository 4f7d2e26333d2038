"""What is not kept for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.retention import SeenAt, is_due, superfluous

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_old_rows_are_removed_once_a_day_whatever_the_clock_does() -> None:
    assert is_due(None, NOW)
    assert not is_due(NOW - timedelta(hours=23), NOW)
    assert is_due(NOW - timedelta(hours=24), NOW)
    assert is_due(NOW + timedelta(days=3), NOW)


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 200)), max_size=60))
def test_of_each_listing_the_first_sighting_and_the_last_of_each_day_are_kept(seen: list[tuple[int, int]]) -> None:
    rows = [SeenAt(key, one, NOW + timedelta(hours=at)) for key, (one, at) in enumerate(sorted(seen))]

    dropped = superfluous(rows)

    kept = [row for row in rows if row.key not in dropped]
    for listing, group in groupby(rows, key=lambda row: row.listing_key):
        first, *later = group
        of_listing = [row for row in kept if row.listing_key == listing]
        last_of_days = {row.seen_at.date(): row for row in later}
        assert of_listing == [first, *last_of_days.values()]
