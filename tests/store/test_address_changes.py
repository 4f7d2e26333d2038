"""Moving to another address: everything but the address stays, in each kind of store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.moving import MOVED, VALID_FOR
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.core.syncing import LEFT
from newsletter.ports import AddressChange, Store
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import (
    HOUR,
    NOW,
    frozen,
    join,
    key_of,
    keys,
    of_list,
    paper,
    record,
    subscriber,
    suppressed,
    synced,
)

OLD, NEW = "reader1@example.org", "Ann@Lab.Example"


async def asked(store: Store, email: str = NEW, **values: Any) -> AddressChange:
    """Let a reader join and ask for another address; return the change."""
    if not await of_list(store):
        await join(store, subscriber(1, **values))
    assert await store.address_changes.ask(await key_of(store, "daily", OLD), email, now=NOW)
    [change] = await store.address_changes.to_confirm(now=NOW)
    return change


async def test_asking_changes_nothing_yet(store: Store) -> None:
    change = await asked(store)
    assert (change.email, change.reader.email, change.former_email) == (NEW, OLD, "")
    assert [one.email for one in await of_list(store)] == [OLD]
    assert await store.address_changes.find(change.key, now=NOW) == change
    await store.address_changes.note_mailed(change.key, now=NOW)
    assert await store.address_changes.to_confirm(now=NOW) == []


async def test_a_reader_moves_with_wishes_feedback_and_number(store: Store) -> None:
    await record(store, paper(1))
    [listing] = (await keys(store)).values()
    change = await asked(store, topics=("one",), name="Ann")
    await store.feedback.say(change.subscriber_key, listing, liked=True, now=NOW)
    moved = await store.address_changes.move(change.key, now=NOW + HOUR)
    assert moved is not None
    assert (moved.reader.email, moved.former_email) == (NEW, OLD)
    [reader] = await of_list(store)
    assert (reader.email, reader.name, reader.topics) == (NEW, "Ann", ("one",))
    assert await key_of(store, "daily", NEW) == change.subscriber_key
    assert len(await store.feedback.of_address("daily", "ann@lab.example")) == 1
    assert await suppressed(store, "daily") == {OLD}


async def test_a_change_is_confirmed_once_and_not_after_its_end(store: Store) -> None:
    change = await asked(store)
    assert await store.address_changes.find(change.key, now=NOW + VALID_FOR) is None
    assert await store.address_changes.move(change.key, now=NOW + VALID_FOR) is None
    assert await store.address_changes.move(change.key, now=NOW) is not None
    assert await store.address_changes.move(change.key, now=NOW) is None
    assert await store.address_changes.find(change.key, now=NOW) is None


async def test_only_the_newest_that_was_asked_for_is_open(store: Store) -> None:
    first = await asked(store)
    second = await asked(store, "other@lab.example")
    assert await store.address_changes.move(first.key, now=NOW) is None
    assert await store.address_changes.move(second.key, now=NOW) is not None


async def test_the_former_address_gets_nothing_more(store: Store) -> None:
    await frozen(store, 2)
    key = await key_of(store, "daily", OLD)
    await store.address_changes.ask(key, NEW, now=NOW)
    [change] = await store.address_changes.to_confirm(now=NOW)
    await store.address_changes.move(change.key, now=NOW)
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=NOW, limit=10)
    assert [one.subscriber.email for one in claimed] == ["reader0@example.org"]


async def test_no_file_brings_the_former_address_back_or_removes_the_new_one(store: Store) -> None:
    change = await asked(store, origin=Origin.FILE)
    await store.address_changes.move(change.key, now=NOW)
    file = subscriber(1)
    await synced(store, file)
    barring = await store.subscribers.barred("daily")
    assert [(key, one.reason) for key, one in barring.suppressed.items()] == [(OLD, MOVED)]
    await frozen(store, at=NOW)
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=NOW, limit=10)
    assert [one.subscriber.email for one in claimed] == [NEW]
    await synced(store)
    reader = await store.subscribers.by_key(change.subscriber_key)
    assert reader is not None
    assert (reader.email, reader.status, reader.origin) == (NEW, SubscriberStatus.ACTIVE, Origin.WEB)


@pytest.mark.parametrize("named", [False, True])
async def test_a_reader_may_move_back_although_files_name_the_former_address(store: Store, *, named: bool) -> None:
    change = await asked(store)
    await store.address_changes.move(change.key, now=NOW)
    if named:
        await synced(store, subscriber(1))
    assert await store.address_changes.ask(change.subscriber_key, OLD, now=NOW)
    [back] = await store.address_changes.to_confirm(now=NOW)
    assert await store.address_changes.move(back.key, now=NOW) is not None
    reader = await store.subscribers.by_key(change.subscriber_key)
    assert reader is not None
    assert reader.email == OLD
    assert await suppressed(store, "daily") == {"ann@lab.example"}
    assert [one.email for one in await of_list(store)] == ([NEW, OLD] if named else [OLD])


@pytest.mark.parametrize("why", ["on the list", "suppressed there", "suppressed everywhere"])
async def test_an_address_that_is_known_or_suppressed_is_not_asked_for_and_not_moved_to(
    store: Store, why: str
) -> None:
    change = await asked(store)
    if why == "on the list":
        await join(store, subscriber(2, email=NEW))
    else:
        list_name = "daily" if why == "suppressed there" else None
        await store.subscribers.suppress(NEW, list_name=list_name, reason=LEFT, now=NOW)
    assert not await store.address_changes.ask(change.subscriber_key, NEW, now=NOW)
    assert await store.address_changes.move(change.key, now=NOW) is None
    assert OLD in [one.email for one in await of_list(store)]


async def test_who_left_meanwhile_does_not_move(store: Store) -> None:
    change = await asked(store)
    await store.subscribers.leave(change.subscriber_key, reason=LEFT, now=NOW)
    assert await store.address_changes.move(change.key, now=NOW) is None
    assert not await store.address_changes.ask(change.subscriber_key, NEW, now=NOW)
    assert not await store.address_changes.ask(4711, NEW, now=NOW)
    assert await store.address_changes.to_confirm(now=NOW) == []


async def test_a_reader_asks_three_times_a_day(store: Store) -> None:
    change = await asked(store)
    for number in range(2):
        assert await store.address_changes.ask(change.subscriber_key, f"a{number}@lab.example", now=NOW)
    assert not await store.address_changes.ask(change.subscriber_key, "b@lab.example", now=NOW + 23 * HOUR)
    assert await store.address_changes.ask(change.subscriber_key, "b@lab.example", now=NOW + 24 * HOUR)


async def test_an_address_is_asked_for_three_times_a_day_by_whomever(store: Store) -> None:
    await join(store, *map(subscriber, range(5)))
    asks = [
        await store.address_changes.ask(await key_of(store, "daily", f"reader{number}@example.org"), NEW, now=NOW)
        for number in range(5)
    ]
    assert asks == [True, True, True, False, False]


async def test_the_former_address_is_told_once_and_forgotten(store: Store) -> None:
    change = await asked(store)
    assert await store.address_changes.to_tell(now=NOW) == []
    await store.address_changes.move(change.key, now=NOW)
    [moved] = await store.address_changes.to_tell(now=NOW)
    assert moved.former_email == OLD
    await store.address_changes.note_told(moved.key, now=NOW)
    assert await store.address_changes.to_tell(now=NOW) == []
    await store.address_changes.ask(change.subscriber_key, "c@lab.example", now=NOW + timedelta(days=40))
    assert [one.email for one in await store.address_changes.to_confirm(now=NOW + timedelta(days=40))] == [
        "c@lab.example"
    ]


async def test_confirmed_twice_at_once_the_reader_moves_once(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    change = await asked(stores[0])
    done = await asyncio.gather(*(store.address_changes.move(change.key, now=NOW) for store in stores * 2))
    assert [one is not None for one in done].count(True) == 1
