"""How many mails more a relay may be handed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.quotas import DAY, HOUR, SLOT, Quota, Used, room, slot_of

NOW = datetime(2026, 3, 12, 8, 2, tzinfo=UTC)
SLOT_NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def used(*mails_before: tuple[int, timedelta]) -> list[Used]:
    return [Used(slot_of(NOW - before), mails) for mails, before in mails_before]


def test_what_was_sent_in_the_last_hour_and_day_is_no_room() -> None:
    assert slot_of(NOW) == SLOT_NOW
    quota = Quota(per_hour=10, per_day=50)
    assert room(quota, [], NOW, NOW).left == 10
    assert room(quota, used((7, 30 * MINUTE), (40, 2 * HOUR)), NOW, NOW).left == 3
    assert room(quota, used((1, 30 * MINUTE), (48, 2 * HOUR), (900, 25 * HOUR)), NOW, NOW).left == 1


def test_a_quota_that_is_used_up_says_until_when() -> None:
    hour = room(Quota(per_hour=10), used((4, 50 * MINUTE), (6, 10 * MINUTE)), NOW, NOW)
    assert (hour.left, hour.opens_at) == (0, datetime(2026, 3, 12, 8, 15, tzinfo=UTC))
    assert hour.said == "10 mails in an hour, and all of them are used"
    # The hour would open before the day does.
    both = room(Quota(per_hour=10, per_day=10), used((10, 50 * MINUTE)), NOW, NOW)
    assert both.opens_at == datetime(2026, 3, 13, 7, 15, tzinfo=UTC)
    # What others sent beyond the limit counts, too.
    beyond = room(Quota(per_hour=10), used((5, 50 * MINUTE), (14, 10 * MINUTE)), NOW, NOW)
    assert beyond.opens_at == datetime(2026, 3, 12, 8, 55, tzinfo=UTC)
    assert beyond.said == "10 mails in an hour, and 19 went out already"  # as where the limit was higher then


def test_a_warm_up_doubles_until_the_days_limit_is_reached() -> None:
    quota = Quota(per_day=300, warm_up=50, warm_up_days=2)
    days = [room(quota, [], NOW - day * DAY, NOW).left for day in range(8)]
    assert days == [50, 50, 100, 100, 200, 200, 300, 300]
    assert room(Quota(warm_up=1), [], NOW - 400 * DAY, NOW).left > 10**6
    full = room(quota, used((50, HOUR)), NOW - 47 * HOUR, NOW)
    assert full.opens_at == NOW + HOUR  # the limit grows before the mails are a day old
    assert full.said == "50 mails on day 2 of the warm-up, and all of them are used"


@given(
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 1500)), max_size=20),
)
def test_when_a_quota_opens_there_is_room_and_not_a_slot_before(
    per_hour: int, per_day: int, warm_up: int, sent: list[tuple[int, int]]
) -> None:
    quota = Quota(per_hour=per_hour, per_day=per_day, warm_up=warm_up)
    log = [Used(slot_of(NOW - minutes * MINUTE), mails) for mails, minutes in sent]
    now = room(quota, log, NOW, NOW)
    assert (now.left > 0) == (now.opens_at is None)
    if now.opens_at:
        assert NOW < now.opens_at <= NOW + DAY + SLOT
        assert room(quota, log, NOW, now.opens_at).left > 0
        assert room(quota, log, NOW, now.opens_at - timedelta(microseconds=1)).left == 0
