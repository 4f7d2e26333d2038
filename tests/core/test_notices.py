from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.notices import FOR_SIX_HOURS, FOR_THREE_DAYS, next_try

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
PAUSES = st.sampled_from([FOR_THREE_DAYS, FOR_SIX_HOURS])


def ends_after(pauses: tuple[timedelta, ...]) -> timedelta:
    """Return for how long a receiver is tried that never takes anything."""
    at, tries = NOW, 0
    while True:
        tries += 1
        again = next_try(pauses, tries, now=at)
        if again is None:
            return at - NOW
        at = again


def test_webhooks_are_tried_for_about_three_days_and_channels_while_the_post_is_news() -> None:
    assert timedelta(days=3) <= ends_after(FOR_THREE_DAYS) < timedelta(days=3.5)
    assert timedelta(hours=6) <= ends_after(FOR_SIX_HOURS) < timedelta(hours=7)


@given(PAUSES, st.integers(1, 30))
def test_pauses_grow(pauses: tuple[timedelta, ...], tries: int) -> None:
    first, second = (next_try(pauses, number, now=NOW) for number in (tries, tries + 1))

    assert second is None or (first is not None and NOW < first < second)


@given(st.integers(1, 5), st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_channel_that_asks_for_more_than_the_day_of_its_news_gets_none(tries: int, wait: timedelta) -> None:
    again = next_try(FOR_SIX_HOURS, tries, now=NOW, wait=wait)

    assert (again is None) == (wait > sum(FOR_SIX_HOURS, timedelta()))
    assert again is None or again >= NOW + wait


@given(st.integers(1, 5), st.timedeltas(timedelta(), timedelta(days=400)))
def test_a_receiver_may_ask_for_a_longer_pause_but_for_no_more_than_a_day(tries: int, wait: timedelta) -> None:
    pauses = FOR_THREE_DAYS
    again = next_try(pauses, tries, now=NOW, wait=wait)

    assert again is not None
    assert again >= NOW + pauses[tries - 1]
    assert NOW + min(wait, timedelta(days=1)) <= again <= NOW + max(timedelta(days=1), pauses[tries - 1])
