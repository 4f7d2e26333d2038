"""Subscribers as operators read them, put them on lists and take them off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from newsletter.core.errors import UsageError
from newsletter.core.subscriber import Member, Origin, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import Barred
from newsletter.ports import Store, Suppression
from tests.store.samples import HOUR, LIST, NOW, join, of_list, subscriber, synced

ANN = Member("Ann@example.org", "Ann", ("agents",))
ACTIVE, UNSUBSCRIBED, REMOVED = SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.REMOVED


async def test_subscribers_are_read_page_by_page_and_counted(store: Store) -> None:
    await join(store, *(subscriber(number) for number in range(5)), subscriber(9, "other"))
    await store.subscribers.suppress("reader3@example.org", list_name=LIST, reason="left", now=NOW + HOUR)
    readers = store.subscribers

    first = await readers.records(list_name=LIST, limit=3)
    rest = await readers.records(list_name=LIST, after=first[-1].key, limit=3)

    emails = [record.subscriber.email for record in (*first, *rest)]
    assert emails == [f"reader{number}@example.org" for number in range(5)]
    assert await readers.number(list_name=LIST) == 5
    assert await readers.number() == 6
    assert await readers.number(list_name=LIST, statuses=[UNSUBSCRIBED]) == 1
    [left] = await readers.records(statuses=[UNSUBSCRIBED])
    assert (left.subscriber.email, left.barred) == ("reader3@example.org", Barred("left", NOW + HOUR))
    assert (left.joined_at, left.changed_at) == (NOW, NOW + HOUR)
    assert first[0].barred is None


async def test_somebody_is_put_on_a_list_once_and_anew_after_the_files_removed_them(store: Store) -> None:
    readers = store.subscribers
    assert await readers.add(LIST, ANN, Origin.COMMAND, now=NOW)
    assert not await readers.add(LIST, ANN._replace(name="Another"), Origin.IMPORT, now=NOW)
    assert await of_list(store) == [replace(ANN.on(LIST), origin=Origin.COMMAND)]

    await synced(store, subscriber(1))
    await synced(store)
    assert await readers.add(LIST, Member("reader1@example.org"), Origin.COMMAND, now=NOW)
    assert [(one.status, one.origin) for one in await of_list(store)] == [(ACTIVE, Origin.COMMAND)] * 2


@pytest.mark.parametrize("on", [LIST, None])
async def test_nobody_is_put_on_a_list_to_whom_no_mail_goes(store: Store, on: str | None) -> None:
    await store.suppressions.add(
        [Suppression(address="ann@example.org", list=on, reason="complained", since=NOW)], now=NOW
    )
    with pytest.raises(UsageError, match=rf"complained {NOW:%F}.*remove Ann@example.org`"):
        await store.subscribers.add(LIST, ANN, Origin.COMMAND, now=NOW)
    assert await of_list(store) == []
    if on:
        assert await store.subscribers.add("other", ANN, Origin.COMMAND, now=NOW)


async def test_who_gets_no_mail_of_a_list_is_named_with_the_reason(store: Store) -> None:
    await join(store, subscriber(1), subscriber(2, status=UNSUBSCRIBED), subscriber(3, "other"))
    await store.subscribers.suppress("reader3@example.org", list_name="other", reason="left", now=NOW)
    await store.subscribers.suppress("gone@example.org", list_name=None, reason="no such user", now=NOW)
    barring = await store.subscribers.barred(LIST)
    assert barring.suppressed == {
        "reader2@example.org": Barred("unsubscribed", NOW),
        "gone@example.org": Barred("no such user", NOW),
    }


async def test_a_subscriber_leaves_the_own_list_once_and_no_other(store: Store) -> None:
    await join(store, subscriber(1), subscriber(1, "other"))
    [on_list] = await store.subscribers.records(list_name=LIST)

    left = await store.subscribers.leave(on_list.key, reason="unsubscribed", now=NOW)
    again = await store.subscribers.leave(on_list.key, reason="unsubscribed", now=NOW + timedelta(days=1))

    assert left
    assert again
    assert (left.subscriber, left.is_news, again.is_news) == (subscriber(1), True, False)
    assert [one.status for one in (*await of_list(store), *await of_list(store, "other"))] == [
        UNSUBSCRIBED,
        ACTIVE,
    ]
    assert await store.subscribers.leave(on_list.key + 100, reason="unsubscribed", now=NOW) is None
    assert await store.suppressions.find(address="Reader1@example.org") == [
        Suppression(
            address="reader1@example.org", list=LIST, reason="unsubscribed", since=NOW, by=SuppressedBy.READER
        )
    ]


async def test_many_are_put_on_a_list_and_whom_that_left_as_they_were_is_named(store: Store) -> None:
    await store.subscribers.suppress("gone@example.org", list_name=None, reason="complained", now=NOW)
    await join(store, subscriber(7))
    people = [*(Member(f"reader{number}@example.org") for number in range(2500)), Member("gone@example.org")]
    left = await store.subscribers.add_all(LIST, people, Origin.IMPORT, now=NOW)
    assert left == {"reader7@example.org": None, "gone@example.org": Barred("complained", NOW)}
    assert await store.subscribers.number(list_name=LIST) == 2500
    again = await store.subscribers.add_all(LIST, people, Origin.IMPORT, now=NOW)
    assert len(again) == 2501
