"""A reader who joins later may get the newest issue: one delivery more, chosen for them."""

from __future__ import annotations

import asyncio

from newsletter.core.choice import Choice
from newsletter.core.delivery import Delivery, DeliveryState, Planned
from newsletter.core.issue import Issue
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Store
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW, draft, in_issue, join, key_of, keys, paper, record, subscriber

LATER = NOW + HOUR


def both(reader: Subscriber, had: frozenset[int]) -> Planned:
    """Plan both listings, but those that the reader had before; nothing where none is left."""
    positions = tuple(at for at in (0, 1) if at + 1 not in had)
    return Planned(
        due_at=LATER if positions else None, choice=Choice(positions, ((),) * len(positions)), subject="S"
    )


async def closed(store: Store) -> Issue:
    """Close an issue of two listings for one reader."""
    await record(store, paper(1), paper(2))
    first, second = sorted((await keys(store)).values())
    await join(store, subscriber(1))
    issue, _ = await store.issues.freeze(draft(in_issue(first, 1), in_issue(second, 2)), "S", both, now=NOW)
    return issue


async def late(store: Store, number: int = 2) -> int:
    await join(store, subscriber(number), now=LATER)
    return await key_of(store, "daily", f"reader{number}@example.org")


async def claimed(store: Store) -> list[Delivery]:
    async with store.outbox.worker() as worker:
        return await claim(store.outbox, worker, now=LATER, limit=10)


async def test_a_reader_who_joined_later_gets_it_once(store: Store) -> None:
    issue, key = await closed(store), await late(store)
    assert await store.issues.add_delivery(issue, key, both, now=LATER)
    assert not await store.issues.add_delivery(issue, key, both, now=LATER)
    deliveries = {one.subscriber.email: one for one in await claimed(store)}
    assert deliveries["reader2@example.org"].choice == deliveries["reader1@example.org"].choice
    assert deliveries["reader2@example.org"].subject == "S"
    [summary] = await store.issues.history("daily")
    assert sum(summary.deliveries.values()) == 2


async def test_it_brings_nothing_that_the_reader_had_and_another_choice_has_a_number_of_its_own(
    store: Store,
) -> None:
    issue = await closed(store)

    def second(reader: Subscriber, had: frozenset[int]) -> Planned:
        assert had == frozenset()
        return Planned(due_at=LATER, choice=Choice((1,), ((),)), subject="Second")

    assert await store.issues.add_delivery(issue, await late(store), second, now=LATER)
    found = {one.subscriber.email: (one.choice.positions, one.subject) for one in await claimed(store)}
    assert found == {"reader1@example.org": ((0, 1), "S"), "reader2@example.org": ((1,), "Second")}


async def test_who_is_suppressed_or_gets_nothing_by_the_plan_or_is_not_there_gets_none(store: Store) -> None:
    issue, key, other = await closed(store), await late(store, 2), await late(store, 3)
    await store.subscribers.suppress("reader2@example.org", list_name="daily", reason="unsubscribed", now=LATER)
    nothing = Planned(due_at=None, reason="nothing for them")
    assert not await store.issues.add_delivery(issue, key, both, now=LATER)
    assert not await store.issues.add_delivery(issue, other, lambda _reader, _had: nothing, now=LATER)
    assert not await store.issues.add_delivery(issue, 999, both, now=LATER)
    assert len(await store.outbox.records(states=list(DeliveryState))) == 1


async def test_who_asks_at_once_by_two_processes_gets_one(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    issue, found = await closed(stores[0]), [await late(stores[0], number) for number in (2, 3)]
    added = await asyncio.gather(
        *(store.issues.add_delivery(issue, key, both, now=LATER) for store in stores for key in found)
    )
    assert sorted(added) == [False, False, True, True]
