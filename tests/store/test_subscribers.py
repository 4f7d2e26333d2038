from __future__ import annotations

from datetime import time

import pytest

from newsletter.core.choice import TextKind
from newsletter.core.delivery import DeliveryState, begun
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Origin, SubscriberStatus
from newsletter.core.syncing import SyncCounts
from newsletter.core.topics import TopicsMode
from newsletter.ports import Store
from tests.claiming import claim
from tests.store.samples import (
    HOUR,
    NOW,
    attempt,
    draft,
    due,
    frozen,
    join,
    key_of,
    of_list,
    outcome,
    subscriber,
    suppressed,
    synced,
    why,
)

UNSUBSCRIBED, REMOVED = SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.REMOVED


async def states(store: Store) -> dict[str, tuple[DeliveryState, str]]:
    return {record.email: (record.state, why(record)) for record in await store.outbox.records()}


async def test_subscribers_read_back_as_they_were_added_by_address(store: Store) -> None:
    ann = subscriber("ann", email="Ann@Example.org", name="Änn", topics=("agents", "λ"), timezone="Asia/Tokyo")
    bob = subscriber(
        "bob",
        cadence=Cadence.WEEKLY,
        hour=time(7, 30),
        topics_mode=TopicsMode.ONLY,
        interest="graph neural networks for chemistry",
        text=TextKind.ABSTRACT,
        origin=Origin.WEB,
    )
    zoe = subscriber("zoe", email="zoe@bücher.example")
    await join(store, zoe, bob, ann)
    await join(store, subscriber("other", "weekly"))

    assert await of_list(store, "daily") == [ann, bob, zoe]


async def test_a_sync_adds_changes_and_removes(store: Store) -> None:
    await join(store, subscriber(1), subscriber(2), subscriber(3))
    key = await key_of(store, "daily", "reader1@example.org")

    renamed = subscriber(1, email="Reader1@example.org", name="One")
    counts = await synced(store, renamed, subscriber(3), subscriber(4))

    assert counts == SyncCounts(added=1, changed=1, removed=1, unchanged=1)

    assert await of_list(store, "daily") == [
        subscriber(1, email="Reader1@example.org", name="One"),
        subscriber(2, status=REMOVED),
        subscriber(3),
        subscriber(4),
    ]
    assert await key_of(store, "daily", "Reader1@example.org") == key


async def test_a_subscriber_is_found_by_number_and_is_one_in_any_spelling_of_the_address(store: Store) -> None:
    await join(store, subscriber("ann", email="ANN@xn--bcher-kva.example"))
    reader = subscriber("ann", email="ann@bücher.example")
    await join(store, reader)

    [claimed] = await of_list(store, "daily")
    key = await key_of(store, "daily", claimed.email)

    assert claimed == await store.subscribers.by_key(key) == reader
    assert await store.subscribers.by_key(key + 1) is None
    assert await store.subscribers.of_address("daily", reader.address_key) == reader
    assert await store.subscribers.of_address("other", reader.address_key) is None


async def test_whether_anyone_wants_a_cadence_goes_by_the_active_who_have_chosen_it(store: Store) -> None:
    weekly = subscriber(2, cadence=Cadence.WEEKLY)
    await join(store, subscriber(1), weekly)
    await join(store, subscriber(3, "other"))

    assert await store.subscribers.anyone_wants("daily", Cadence.WEEKLY)
    assert not await store.subscribers.anyone_wants("daily", Cadence.DAILY)
    assert not await store.subscribers.anyone_wants("other", Cadence.WEEKLY)

    await store.subscribers.suppress(weekly.email, list_name=None, reason="left", now=NOW)
    assert not await store.subscribers.anyone_wants("daily", Cadence.WEEKLY)


async def test_the_same_address_on_two_lists_is_two_subscribers(store: Store) -> None:
    await join(store, subscriber(1))
    await join(store, subscriber(1, "weekly"))

    assert await key_of(store, "daily", "reader1@example.org") != await key_of(
        store, "weekly", "reader1@example.org"
    )


async def test_who_unsubscribed_stays_so_whatever_a_file_says(store: Store) -> None:
    await join(store, subscriber(1))
    await store.subscribers.suppress("reader1@example.org", list_name="daily", reason="left", now=NOW)

    await synced(store, subscriber(1, name="One"), now=NOW + HOUR)
    assert await of_list(store, "daily") == [subscriber(1, status=UNSUBSCRIBED)]
    assert await synced(store, now=NOW + HOUR) == SyncCounts()
    assert await of_list(store, "daily") == [subscriber(1, status=UNSUBSCRIBED)]


async def test_who_was_removed_can_come_back_by_the_file(store: Store) -> None:
    await join(store, subscriber(1))
    await synced(store)
    assert await of_list(store, "daily") == [subscriber(1, status=REMOVED)]
    assert await synced(store, subscriber(1)) == SyncCounts(reactivated=1)
    assert await of_list(store, "daily") == [subscriber(1)]


async def test_what_a_removed_subscriber_was_not_sent_yet_is_withdrawn(store: Store) -> None:
    await frozen(store, 2)

    await synced(store, subscriber(0), now=NOW + HOUR)

    assert await states(store) == {
        "reader0@example.org": (DeliveryState.QUEUED, ""),
        "reader1@example.org": (DeliveryState.WITHDRAWN, "removed from the list"),
    }


async def test_suppressing_on_a_list_leaves_the_other_lists_alone(store: Store) -> None:
    await join(store, subscriber(1))
    await join(store, subscriber(1, "weekly"))

    assert await store.subscribers.suppress("READER1@example.org", list_name="daily", reason="left", now=NOW)

    assert await suppressed(store, "daily") == {"reader1@example.org"}
    assert await suppressed(store, "weekly") == set()
    assert [reader.status for reader in await of_list(store, "daily")] == [UNSUBSCRIBED]
    assert await of_list(store, "weekly") == [subscriber(1, "weekly")]


async def test_suppressing_everywhere_counts_for_lists_that_come_later_too(store: Store) -> None:
    await join(store, subscriber(1))

    await store.subscribers.suppress("reader1@example.org", list_name=None, reason="no such user", now=NOW)
    await join(store, subscriber(1, "weekly"))

    assert [reader.status for reader in await of_list(store, "daily")] == [UNSUBSCRIBED]
    assert await suppressed(store, "weekly") == {"reader1@example.org"}


@pytest.mark.parametrize("list_name", ["daily", None])
async def test_suppressing_an_address_a_second_time_is_no_news(store: Store, list_name: str | None) -> None:
    first = await store.subscribers.suppress("nobody@example.org", list_name=list_name, reason="left", now=NOW)
    second = await store.subscribers.suppress(
        "nobody@example.org", list_name=list_name, reason="again", now=NOW + HOUR
    )

    assert (first, second) == (True, False)


async def test_suppressing_withdraws_what_was_not_sent_yet_claimed_or_not(store: Store) -> None:
    await frozen(store, 4)
    async with store.outbox.worker() as worker:
        one, two, three = await claim(store.outbox, worker, now=NOW, limit=3)
        await attempt(store, one, DeliveryState.SENT)
        await attempt(store, two, DeliveryState.DEFERRED)

        for number in range(4):
            await store.subscribers.suppress(
                f"reader{number}@example.org", list_name="daily", reason="left", now=NOW
            )

        assert set(await store.outbox.record([begun(three, NOW)])) == {three.key}
    withdrawn = (DeliveryState.WITHDRAWN, "suppressed: left")
    assert await states(store) == {
        "reader0@example.org": (DeliveryState.SENT, ""),
        "reader1@example.org": withdrawn,
        "reader2@example.org": withdrawn,
        "reader3@example.org": withdrawn,
    }


async def test_a_message_in_flight_when_its_reader_leaves_is_settled_but_not_tried_again(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.outbox.record([begun(claimed, NOW)])

        await store.subscribers.suppress("reader0@example.org", list_name="daily", reason="left", now=NOW)
        await store.outbox.record([outcome(claimed, DeliveryState.DEFERRED)])

        assert await claim(store.outbox, worker, now=NOW + 24 * HOUR, limit=9) == []
    assert await states(store) == {"reader0@example.org": (DeliveryState.WITHDRAWN, "suppressed: left")}


async def test_deliveries_go_to_the_address_and_name_as_they_were_when_the_issue_was_closed(store: Store) -> None:
    await join(store, subscriber(1, name="First"))
    await store.issues.freeze(draft(), "Papers", due(), now=NOW)
    renamed = subscriber(1, email="Reader1@Example.org", name="One")
    await synced(store, renamed)

    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)

    assert (claimed.subscriber.email, claimed.subscriber.name) == ("reader1@example.org", "First")


async def test_addresses_are_found_by_how_they_begin_in_any_case_and_only_of_who_reads_the_list(
    store: Store,
) -> None:
    names = ("Ann@example.org", "anna@example.org", "a%@example.org", "bob@example.org", "änne@example.org")
    await join(store, *(subscriber(name, email=name) for name in names))
    await join(store, subscriber("other", "weekly", email="andy@example.org"))
    left = await key_of(store, "daily", "anna@example.org")
    await store.subscribers.leave(left, reason="unsubscribed", now=NOW)

    async def beginning(prefix: str, limit: int = 9) -> list[str]:
        return await store.subscribers.addresses("daily", prefix=prefix, limit=limit)

    assert await beginning("AN") == ["Ann@example.org"]
    assert await beginning("a%") == ["a%@example.org"]
    assert await beginning("ä") == ["änne@example.org"]
    assert len(await beginning("")) == 4
    assert await beginning("", limit=1) == ["a%@example.org"]
