"""How lists grow, in each engine."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.growth import ReaderDay, grown
from newsletter.core.subscriber import Subscriber
from newsletter.core.suppression import SuppressedBy
from newsletter.ports import Store
from tests.store.samples import DAY, NOW, join, key_of

A_DAY = timedelta(days=1)


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=30), st.integers(2000, 9000)
)
def test_days_add_up(changes: list[tuple[int, int]], readers: int) -> None:
    days = [DAY + timedelta(days=number) for number in range(len(changes))]
    joined = {day: came for day, (came, _) in zip(days, changes, strict=True)}
    left = {day: went for day, (_, went) in zip(days, changes, strict=True)}
    found = grown(readers, joined, left, days)
    assert [one.day for one in found] == days
    assert found[-1].readers == readers
    for before, after in pairwise(found):
        assert after.readers == before.readers + after.joined - after.left


async def test_lists_are_counted_day_by_day(store: Store) -> None:
    await join(store, *(Subscriber(list="daily", email=f"{name}@example.org") for name in "abc"), now=NOW - A_DAY)
    await join(store, Subscriber(list="other", email="a@example.org"), now=NOW)
    key = await key_of(store, "daily", "b@example.org")
    assert await store.subscribers.leave(key, reason="unsubscribed", now=NOW)
    for _ in range(2):
        await store.growth.count(now=NOW)

    of_list, of_all = (
        await store.growth.since(DAY - A_DAY, list_name="daily"),
        await store.growth.since(DAY - A_DAY),
    )

    assert list(of_list.days) == [
        ReaderDay(day=DAY - A_DAY, readers=3, joined=3),
        ReaderDay(day=DAY, readers=2, left=1),
    ]
    assert of_all.days[-1] == ReaderDay(day=DAY, readers=3, joined=1, left=1)
    assert of_all.counted_at == NOW


async def test_what_was_counted_on_the_day_itself_stays(store: Store) -> None:
    await join(store, Subscriber(list="daily", email="a@example.org"), now=NOW)
    await store.growth.count(now=NOW)
    await store.subscribers.suppress(
        "a@example.org", list_name=None, reason="gone", now=NOW + 5 * A_DAY, by=SuppressedBy.OPERATOR
    )
    await store.growth.count(now=NOW + 5 * A_DAY)
    found = await store.growth.since(DAY, list_name="daily")
    assert [one.readers for one in found.days] == [1, 1, 1, 1, 1, 0]
    assert [one.left for one in found.days] == [0, 0, 0, 0, 0, 1]


async def test_where_nothing_was_counted_nothing_is_known(store: Store) -> None:
    assert (await store.growth.since(DAY)).counted_at is None
