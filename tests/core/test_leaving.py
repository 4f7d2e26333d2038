from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.leaving import Instead, end_of_pause, less, may_undo, why
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Wishes
from newsletter.core.text import one_line

LEFT_AT = datetime(2026, 3, 12, 8, tzinfo=UTC)


@given(st.timedeltas(timedelta(), timedelta(days=30)))
def test_leaving_may_be_undone_for_a_week(later: timedelta) -> None:
    assert may_undo(LEFT_AT, now=LEFT_AT + later) is (later < timedelta(days=7))


def test_less_mail_changes_one_wish_alone() -> None:
    wishes, until = Wishes(name="Ada", topics=("agents",)), end_of_pause(date(2026, 3, 12))
    assert less(wishes, Instead.WEEKLY, until) == wishes._replace(cadence=Cadence.WEEKLY)
    assert less(wishes, Instead.PAUSE, until) == wishes._replace(paused_until=date(2026, 4, 11))


@given(st.text(), st.text(max_size=1000))
def test_why_a_reader_left_is_one_short_line(said: str, words: str) -> None:
    kept = why(said, words)
    assert len(kept) <= 200
    assert one_line(kept) == kept


@pytest.mark.parametrize(("said", "kept"), [("not_mine", "not my field"), ("words", "whales"), ("", "whales")])
def test_a_press_counts_before_words(said: str, kept: str) -> None:
    assert why(said, "whales") == kept
