"""What orders make of an issue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.errors import UsageError
from newsletter.core.halt import GOES_OUT, Halt, HaltState, Order, obeyed

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
said = st.lists(st.tuples(st.sampled_from(list(Order)), st.integers(0, 100_000)), max_size=20)


@given(said)
def test_whatever_is_said_pauses_add_up_and_cancelling_is_for_good(orders: list[tuple[Order, int]]) -> None:
    state, now, paused = GOES_OUT, NOW, timedelta()
    for order, seconds in orders:
        before, now = state, now + timedelta(seconds=seconds)
        if before.halt is Halt.PAUSED:
            paused += timedelta(seconds=seconds)
        if before.halt is Halt.CANCELLED and order is not Order.CANCEL:
            with pytest.raises(UsageError):
                obeyed(before, order, now)
            continue
        state = obeyed(before, order, now)
        assert obeyed(state, order, now) == state
        assert state.halt is {Order.PAUSE: Halt.PAUSED, Order.RESUME: None, Order.CANCEL: Halt.CANCELLED}[order]
        assert (state.since is None) == (state.halt is None)
        if state.halt is not Halt.PAUSED:
            assert state.paused_for == paused


def test_a_clock_that_was_set_back_makes_no_pause_shorter() -> None:
    paused = HaltState(halt=Halt.PAUSED, since=NOW, paused_for=timedelta(hours=1))
    assert obeyed(paused, Order.RESUME, NOW - timedelta(days=1)).paused_for == timedelta(hours=1)
