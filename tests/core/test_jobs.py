"""How many jobs an issue needs, and which are taken first."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.jobs import (
    CHUNK,
    MAILS_PRIORITY,
    MOST_AT_ONCE,
    chunks_for,
    jobs_of_closed,
    lacking,
    priority_of,
)

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
SIZES = st.integers(min_value=0, max_value=50_000_000)


@given(SIZES)
def test_chunks_hold_all_deliveries_and_there_are_no_more_of_a_big_issue_than_that_takes(deliveries: int) -> None:
    chunks = chunks_for(deliveries)
    assert deliveries <= chunks * CHUNK
    assert chunks <= deliveries
    if deliveries > 16 * CHUNK:
        assert (chunks - 1) * CHUNK < deliveries


def test_a_small_issue_has_chunks_for_several_workers() -> None:
    assert [chunks_for(deliveries) for deliveries in (1, 500, 501, 4000, 30_000)] == [1, 1, 2, 8, 16]


@given(SIZES, SIZES)
def test_a_small_issue_never_comes_after_a_big_one_and_mails_to_one_person_come_first(one: int, two: int) -> None:
    small, big = sorted((one, two))
    assert MAILS_PRIORITY > priority_of(small) >= priority_of(big)


def test_an_issue_of_a_hundred_readers_comes_before_one_of_a_million() -> None:
    assert priority_of(100) > priority_of(1_000_000)


@given(st.dictionaries(st.integers(-60, 600), st.integers(1, 3000), max_size=8))
def test_a_closed_issue_has_jobs_for_all_that_is_due_at_each_moment(due: dict[int, int]) -> None:
    moments = {NOW + timedelta(minutes=minutes): count for minutes, count in due.items()}

    jobs = jobs_of_closed(7, list(moments.items()), now=NOW)

    counted = Counter(job.at for job in jobs)
    later = {moment: chunks_for(count) for moment, count in moments.items() if moment > NOW}
    assert {moment: count for moment, count in counted.items() if moment is not None} == later
    assert counted[None] == sum(chunks_for(count) for moment, count in moments.items() if moment <= NOW)
    assert {job.issue_key for job in jobs} <= {7}
    assert len({job.priority for job in jobs}) <= 1


@given(SIZES, st.integers(0, 20_000))
def test_as_many_jobs_are_added_as_lack_and_never_more_than_are_counted_at_a_time(due: int, live: int) -> None:
    added = len(lacking(7, due, live))
    assert added == max(min(chunks_for(due), MOST_AT_ONCE) - live, 0)
