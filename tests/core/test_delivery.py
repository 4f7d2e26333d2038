from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import (
    FORWARD,
    MOST_COPIES,
    Delivery,
    DeliveryState,
    Outcome,
    RetryPolicy,
    begun,
    message_id,
    resent,
    settled,
)
from newsletter.core.subscriber import Subscriber

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
POLICY = RetryPolicy()


def delivery(attempts: int = 0) -> Delivery:
    reader = Subscriber(list="daily", email="ann@example.org")
    return Delivery(
        key=7,
        issue_key=1,
        subscriber_key=2,
        subscriber=reader,
        state=DeliveryState.QUEUED,
        due_at=NOON,
        attempts=attempts,
    )


def test_states_only_move_forward() -> None:
    final = {DeliveryState.SENT, DeliveryState.REFUSED}
    assert set(FORWARD) == set(DeliveryState)
    assert FORWARD[DeliveryState.WITHDRAWN] == {DeliveryState.SENT}
    assert all(not FORWARD[state] for state in final)
    assert all(state not in later for state, later in FORWARD.items())


def test_intent_counts_the_attempt() -> None:
    change = begun(delivery(attempts=2), NOON)
    assert (change.state, change.attempts) == (DeliveryState.SENDING, 3)


def test_what_the_relay_said_is_kept() -> None:
    outcome = Outcome(state=DeliveryState.SENT, code=250, text="2.0.0 queued as 4F", relay="mx:25")
    change = settled(delivery(), outcome, NOON, POLICY, 0.5)
    assert (change.state, change.code, change.text, change.relay) == (
        DeliveryState.SENT,
        250,
        "2.0.0 queued as 4F",
        "mx:25",
    )


@given(st.integers(0, 10), st.floats(0, 1, exclude_max=True))
def test_a_deferral_waits_longer_each_time_within_bounds(attempts: int, jitter: float) -> None:
    change = settled(delivery(attempts), Outcome(state=DeliveryState.DEFERRED, code=451), NOON, POLICY, jitter)
    assert change.state is DeliveryState.DEFERRED
    assert change.next_attempt_at is not None
    wait = change.next_attempt_at - NOON
    expected = min(POLICY.first_delay * 2.0**attempts, POLICY.longest_delay)
    assert expected * 0.75 <= wait <= expected * 1.25


def test_a_deferral_becomes_a_refusal_when_the_tries_are_used_up() -> None:
    outcome = Outcome(state=DeliveryState.DEFERRED, code=451, text="greylisted")
    change = settled(delivery(attempts=11), outcome, NOON, POLICY, 0)
    assert (change.state, change.next_attempt_at, change.code) == (DeliveryState.REFUSED, None, 451)
    assert change.reason == "given up after 12 attempts"
    late = settled(delivery(), outcome, NOON + timedelta(hours=36), POLICY, 0)
    assert late.state is DeliveryState.REFUSED
    assert late.reason.startswith("given up after")


@pytest.mark.parametrize(
    ("state", "dead", "suppress"),
    [
        (DeliveryState.REFUSED, True, True),
        (DeliveryState.REFUSED, False, False),
        (DeliveryState.DEFERRED, True, False),
    ],
)
def test_only_a_dead_address_is_suppressed(state: DeliveryState, *, dead: bool, suppress: bool) -> None:
    assert settled(delivery(), Outcome(state=state, dead_address=dead), NOON, POLICY, 0).suppress is suppress


def test_the_message_id_depends_on_issue_and_reader_alone() -> None:
    one = message_id("daily", date(2026, 3, 12), "Ann@example.org", "example.org")
    assert one == message_id("daily", date(2026, 3, 12), "ann@EXAMPLE.org", "example.org")
    others = {
        message_id("weekly", date(2026, 3, 12), "ann@example.org", "example.org"),
        message_id("daily", date(2026, 3, 13), "ann@example.org", "example.org"),
        message_id("daily", date(2026, 3, 12), "bob@example.org", "example.org"),
    }
    assert len(others | {one}) == 4
    assert one.startswith("<20260312.")
    assert one.endswith("@example.org>")


@pytest.mark.parametrize(("times", "minutes"), [(1, 2), (2, 4)])
def test_what_a_relay_cut_off_is_sent_again_after_a_wait_that_grows(times: int, minutes: int) -> None:
    one = delivery(attempts=times - 1)
    cut_off = settled(one, Outcome(state=DeliveryState.UNCERTAIN), NOON, RetryPolicy(), 0.5)

    again = resent(one, cut_off, times, RetryPolicy(), 0.5)

    assert again
    assert (again.state, again.next_attempt_at) == (DeliveryState.DEFERRED, NOON + timedelta(minutes=minutes))
    assert again.state in FORWARD[DeliveryState.UNCERTAIN]


@given(times=st.integers(min_value=MOST_COPIES, max_value=100), jitter=st.floats(0, 0.999))
def test_what_a_relay_cuts_off_again_and_again_comes_few_times(times: int, jitter: float) -> None:
    one = delivery(attempts=times - 1)
    cut_off = settled(one, Outcome(state=DeliveryState.UNCERTAIN), NOON, RetryPolicy(max_attempts=1000), jitter)

    assert resent(one, cut_off, times, RetryPolicy(max_attempts=1000), jitter) is None


def test_what_was_cut_off_is_not_sent_again_when_it_is_too_late_or_tried_too_often() -> None:
    one = delivery()
    cut_off = settled(one, Outcome(state=DeliveryState.UNCERTAIN), NOON, RetryPolicy(), 0.5)

    assert resent(one, cut_off, 1, RetryPolicy(max_attempts=1), 0.5) is None
    assert resent(one, cut_off, 1, RetryPolicy(give_up_after=timedelta(seconds=1)), 0.5) is None
