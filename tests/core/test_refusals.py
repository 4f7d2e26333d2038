from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import DeliveryState, Doubt
from newsletter.core.refusals import answer_key, at_the_end, is_about_us

REFUSED, DEFERRED, QUEUED = DeliveryState.REFUSED, DeliveryState.DEFERRED, DeliveryState.QUEUED
doubts = st.lists(st.sampled_from([Doubt.SOME, Doubt.OURS]))


def test_twenty_readers_in_a_row_are_about_us_and_nineteen_are_not() -> None:
    assert not is_about_us([Doubt.SOME] * 19, in_flight=0)
    assert is_about_us([Doubt.SOME] * 20, in_flight=0)


def test_what_was_on_its_way_already_makes_no_difference() -> None:
    assert not is_about_us([Doubt.SOME] * 27, in_flight=8)
    assert is_about_us([Doubt.SOME] * 28, in_flight=8)


def test_words_about_us_take_fewer_readers() -> None:
    assert is_about_us([Doubt.OURS] * 5, in_flight=0)
    assert not is_about_us([Doubt.OURS] * 4 + [Doubt.SOME] * 10, in_flight=0)


@given(doubts, doubts, st.integers(min_value=0, max_value=50))
def test_more_refusals_never_speak_for_the_relay(some: list[Doubt], more: list[Doubt], in_flight: int) -> None:
    assert is_about_us(some + more, in_flight=in_flight) >= is_about_us(some, in_flight=in_flight)


@pytest.mark.parametrize(
    ("doubt", "readers", "taken", "taken_before", "state"),
    [
        (Doubt.SOME, 12, True, False, REFUSED),  # the last ones of a run in which others got theirs
        (Doubt.SOME, 1, True, True, REFUSED),
        (Doubt.OURS, 3, True, False, DEFERRED),  # a quota that ended just before the last
        (Doubt.SOME, 3, False, True, DEFERRED),  # what an earlier run left
        (Doubt.SOME, 1, False, False, DEFERRED),  # a list of one reader
        (Doubt.OURS, 1, False, False, DEFERRED),
        (Doubt.SOME, 2, False, False, QUEUED),
        (Doubt.OURS, 40, False, False, QUEUED),
    ],
)
def test_at_the_end_others_mail_decides(
    doubt: Doubt, readers: int, taken: bool, taken_before: bool, state: DeliveryState
) -> None:
    assert at_the_end(doubt, readers=readers, taken=taken, taken_before=taken_before) is state


@given(st.sampled_from([Doubt.SOME, Doubt.OURS]), st.integers(min_value=1), st.booleans())
def test_nobody_is_refused_where_nothing_goes_through(doubt: Doubt, readers: int, before: bool) -> None:
    assert at_the_end(doubt, readers=readers, taken=False, taken_before=before) is not REFUSED


def test_answers_that_differ_in_address_and_numbers_say_the_same() -> None:
    first = answer_key(550, "5.7.1 <ann@example.org> is on our stop list (id 4f3a9)")
    assert first == answer_key(550, "5.7.1 <bob@example.com> is on our stop list (id 77b01)")
    assert first != answer_key(554, "5.7.1 <ann@example.org> is on our stop list (id 4f3a9)")
    assert first != answer_key(550, "5.7.1 <ann@example.org> is over quota")
