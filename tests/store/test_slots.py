"""What is known of a list's slots, in every store."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from newsletter.core.delivery import Planned
from newsletter.core.errors import NoReaderError
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.ports import Store
from tests.store.conftest import Opener
from tests.store.samples import NOW, draft, join, subscriber

DAY = date(2026, 3, 12)


async def test_a_list_is_first_seen_once(store: Store) -> None:
    assert await store.slots.first_seen("daily", now=NOW) == NOW
    assert await store.slots.first_seen("daily", now=NOW + timedelta(days=3)) == NOW
    assert await store.slots.first_seen("weekly", now=NOW + timedelta(days=3)) == NOW + timedelta(days=3)


async def test_the_newest_slot_in_vain_takes_the_place_of_the_one_before(store: Store) -> None:
    assert await store.slots.in_vain("daily") is None
    for offset in range(3):
        await store.slots.note_in_vain("daily", DAY + timedelta(days=offset), now=NOW + timedelta(days=offset))
        await store.slots.note_in_vain("daily", DAY + timedelta(days=offset), now=NOW + timedelta(days=offset))
    assert await store.slots.in_vain("daily") == DAY + timedelta(days=2)
    assert await store.slots.in_vain("weekly") is None
    assert await store.slots.first_seen("daily", now=NOW + timedelta(days=9)) == NOW


async def test_two_processes_that_see_a_list_at_once_agree(opened: Opener) -> None:
    stores = [await opened() for _ in range(3)]
    seen = [one.slots.first_seen("daily", now=NOW + timedelta(seconds=n)) for n, one in enumerate(stores)]
    assert len(set(await asyncio.gather(*seen))) == 1


def never(_: Subscriber, had: frozenset[int]) -> Planned:
    return Planned(due_at=None, reason="wants a weekly issue")


async def test_an_issue_that_needs_a_reader_is_not_written_without_one(store: Store) -> None:
    one = draft()
    with pytest.raises(NoReaderError, match="list daily has no subscribers"):
        await store.issues.freeze(one, "Papers", lambda _, _had: Planned(due_at=NOW), now=NOW, needs_reader=True)
    await join(store, subscriber(1, status=SubscriberStatus.UNSUBSCRIBED), subscriber(2))
    await store.subscribers.suppress("reader2@example.org", list_name=None, reason="bounced", now=NOW)
    with pytest.raises(NoReaderError, match=r"no subscriber is to get it \(2 of 2: suppressed"):
        await store.issues.freeze(one, "Papers", lambda _, _had: Planned(due_at=NOW), now=NOW, needs_reader=True)
    await join(store, subscriber(3), subscriber(4), subscriber(5))
    with pytest.raises(NoReaderError, match="wants a weekly issue"):
        await store.issues.freeze(one, "Papers", never, now=NOW, needs_reader=True)
    assert await store.issues.latest("daily") is None
    assert await store.issues.competed("daily", range(9)) == {}
    _, created = await store.issues.freeze(
        one, "Papers", lambda _, _had: Planned(due_at=NOW), now=NOW, needs_reader=True
    )
    assert created
