"""Leaving can be undone once, and brings back just what was left, in each kind of store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.core.syncing import LEFT
from newsletter.ports import Leaving, Store
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW, frozen, join, key_of, of_list, subscriber, suppressed, synced

ADDRESS = "reader1@example.org"


async def left(store: Store, **values: Any) -> tuple[int, Leaving]:
    """Let a reader join and leave; return their key and the leaving."""
    await join(store, subscriber(1, **values))
    key = await key_of(store, "daily", ADDRESS)
    assert await store.leavings.last(key) is None
    await store.subscribers.leave(key, reason=LEFT, now=NOW)
    leaving = await store.leavings.last(key)
    assert leaving is not None
    assert leaving.at == NOW
    return key, leaving


async def status(store: Store) -> SubscriberStatus:
    [reader] = await of_list(store)
    return reader.status


@pytest.mark.parametrize("was", [SubscriberStatus.ACTIVE, SubscriberStatus.REMOVED])
async def test_undoing_brings_back_what_was_and_works_once(store: Store, was: SubscriberStatus) -> None:
    key, leaving = await left(store, status=was)
    assert await status(store) is SubscriberStatus.UNSUBSCRIBED
    back = await store.leavings.undo(leaving.key, now=NOW + HOUR)
    assert back is not None
    assert (back.email, back.status) == (ADDRESS, was)
    assert await suppressed(store, "daily") == set()
    assert await store.leavings.last(key) is None
    assert await store.leavings.undo(leaving.key, now=NOW + HOUR) is None
    assert await status(store) is was


async def test_a_former_leaving_brings_nobody_back_who_left_again(store: Store) -> None:
    key, leaving = await left(store)
    await store.leavings.undo(leaving.key, now=NOW + HOUR)
    await store.subscribers.leave(key, reason=LEFT, now=NOW + 2 * HOUR)
    assert await store.leavings.undo(leaving.key, now=NOW + 3 * HOUR) is None
    assert await status(store) is SubscriberStatus.UNSUBSCRIBED
    again = await store.leavings.last(key)
    assert again is not None
    assert again.key != leaving.key


async def test_leaving_again_while_one_has_left_is_no_new_leaving(store: Store) -> None:
    key, leaving = await left(store)
    await store.subscribers.leave(key, reason=LEFT, now=NOW + HOUR)
    assert await store.leavings.last(key) == leaving


async def test_what_the_operator_undid_or_said_meanwhile_is_not_undone_again(store: Store) -> None:
    key, leaving = await left(store)
    await store.suppressions.lift([ADDRESS], list_name="daily", now=NOW + HOUR)
    assert await store.leavings.last(key) is None
    await store.subscribers.suppress(ADDRESS, list_name="daily", reason="complaint", now=NOW + HOUR)
    assert await store.leavings.undo(leaving.key, now=NOW + HOUR) is None
    assert await suppressed(store, "daily") == {ADDRESS}


async def test_a_bounce_meanwhile_goes_on_to_bar_the_reader(store: Store) -> None:
    _, leaving = await left(store)
    await store.subscribers.suppress(ADDRESS, list_name=None, reason="550 no such user", now=NOW + HOUR)
    back = await store.leavings.undo(leaving.key, now=NOW + HOUR)
    assert back is not None
    assert back.status is SubscriberStatus.UNSUBSCRIBED
    [one] = await store.suppressions.find()
    assert one.reason == "550 no such user"


async def test_what_was_barred_before_the_reader_left_is_none_of_leaving(store: Store) -> None:
    await join(store, subscriber(1))
    key = await key_of(store, "daily", ADDRESS)
    await store.subscribers.suppress(ADDRESS, list_name="daily", reason="complaint", now=NOW)
    await store.subscribers.leave(key, reason=LEFT, now=NOW + HOUR)
    assert await store.leavings.last(key) is None


async def test_deliveries_that_were_withdrawn_stay_so(store: Store) -> None:
    issue = await frozen(store, 2)
    key = await key_of(store, "daily", ADDRESS)
    await store.subscribers.leave(key, reason=LEFT, now=NOW)
    leaving = await store.leavings.last(key)
    assert leaving is not None
    await store.leavings.undo(leaving.key, now=NOW)
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=NOW, limit=10)
    assert [one.subscriber.email for one in claimed] == ["reader0@example.org"]
    [summary] = (await store.issues.summaries([issue.key])).values()
    assert summary.deliveries[DeliveryState.WITHDRAWN] == 1


async def test_who_came_back_is_removed_when_the_files_name_them_no_longer(store: Store) -> None:
    _, leaving = await left(store, origin=Origin.FILE)
    await store.leavings.undo(leaving.key, now=NOW + timedelta(days=1))
    assert await store.subscribers.synced_files("daily") is None
    await synced(store)
    assert await status(store) is SubscriberStatus.REMOVED


async def test_undone_twice_at_once_it_is_undone_once(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    _, leaving = await left(stores[0])
    done = await asyncio.gather(*(store.leavings.undo(leaving.key, now=NOW) for store in stores * 2))
    assert [one is not None for one in done].count(True) == 1
    assert await status(stores[0]) is SubscriberStatus.ACTIVE


async def test_why_a_reader_left_stands_with_what_suppresses_them(store: Store) -> None:
    _, leaving = await left(store)
    await store.subscribers.suppress("other@example.org", list_name="daily", reason=LEFT, now=NOW)
    assert await store.leavings.say_why(leaving.key, "too many papers")
    assert {one.address: one.evidence for one in await store.suppressions.find()} == {
        ADDRESS: "too many papers",
        "other@example.org": "",
    }
    await store.leavings.undo(leaving.key, now=NOW)
    assert not await store.leavings.say_why(leaving.key, "too many papers")
