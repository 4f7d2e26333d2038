"""What a reader's own confirmation takes back, and what it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from newsletter.core.subscriber import Member, Origin, SubscriberStatus
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import Barred
from newsletter.ports import Confirmed, Store, Suppression
from tests.store.samples import HOUR, LIST, NOW, join, of_list, subscriber, synced

ANN = Member("reader1@example.org", "Ann", ("agents",))
ACTIVE, UNSUBSCRIBED = SubscriberStatus.ACTIVE, SubscriberStatus.UNSUBSCRIBED
BY_WEB = replace(ANN.on(LIST), origin=Origin.WEB)


async def suppress(store: Store, by: SuppressedBy, on: str | None, address: str = ANN.email) -> None:
    one = Suppression(address=address, list=on, reason=f"by {by}", since=NOW, by=by, evidence="seen")
    await store.suppressions.add([one], now=NOW)


async def confirm(store: Store) -> Confirmed:
    return await store.subscribers.return_by_confirmation(LIST, ANN, now=NOW + HOUR)


async def states(store: Store, list_name: str = LIST) -> list[tuple[SubscriberStatus, Barred | None]]:
    records = await store.subscribers.records(list_name=list_name)
    return [(one.subscriber.status, one.barred) for one in records]


async def test_who_confirms_reads_the_list_and_no_file_takes_them_off(store: Store) -> None:
    first, again = await confirm(store), await confirm(store)

    assert (first.is_news, again.is_news, first.key) == (True, False, again.key)
    assert await of_list(store) == [BY_WEB]
    await synced(store, subscriber(1, topics=("vision",)))
    await synced(store)
    assert await of_list(store) == [BY_WEB]


async def test_who_reads_already_keeps_the_own_wishes(store: Store) -> None:
    await join(store, subscriber(1, name="Before"))

    done = await confirm(store)

    assert done.is_news is False
    assert await of_list(store) == [subscriber(1, name="Before")]


@pytest.mark.parametrize("on", [LIST, None])
@pytest.mark.parametrize("by", [one for one in SuppressedBy if one is not SuppressedBy.OPERATOR])
async def test_who_left_bounced_or_complained_comes_back_by_confirming(
    store: Store, by: SuppressedBy, on: str | None
) -> None:
    await join(store, subscriber(1))
    await suppress(store, by, on)

    done = await confirm(store)

    assert (done.is_news, done.barred) == (True, None)
    assert await states(store) == [(ACTIVE, None)]
    assert await of_list(store) == [BY_WEB]
    assert await store.suppressions.find() == []


async def test_who_was_removed_with_the_files_comes_back_by_confirming(store: Store) -> None:
    await synced(store, subscriber(1))
    await synced(store)

    assert (await confirm(store)).is_news
    assert await of_list(store) == [BY_WEB]


async def test_what_was_for_all_lists_goes_on_where_nothing_was_confirmed(store: Store) -> None:
    await join(store, subscriber(1), subscriber(1, "other"))
    await suppress(store, SuppressedBy.INBOUND, None)
    await synced(store, subscriber(1, "named"), list_name="named")  # after the suppression

    await confirm(store)

    assert await states(store) == [(ACTIVE, None)]
    for name in ("other", "named"):
        assert await states(store, name) == [(UNSUBSCRIBED, Barred("by inbound", NOW))]
    found = await store.suppressions.find()
    assert [(one.list, one.by, one.evidence, one.since) for one in found] == [
        ("named", SuppressedBy.INBOUND, "seen", NOW),
        ("other", SuppressedBy.INBOUND, "seen", NOW),
    ]


@pytest.mark.parametrize("address", [ANN.email, "@example.org"])
@pytest.mark.parametrize("on", [LIST, None])
async def test_the_operators_word_and_a_domains_suppression_outlast_a_confirmation(
    store: Store, address: str, on: str | None
) -> None:
    await join(store, subscriber(1))
    await suppress(store, SuppressedBy.OPERATOR, on, address)
    await store.subscribers.suppress(ANN.email, list_name=LIST, reason="left", now=NOW, by=SuppressedBy.READER)
    known = await store.suppressions.find(), await states(store)

    done = await confirm(store)

    assert (done.key, done.is_news) == (None, False)
    assert done.barred is not None
    assert (await store.suppressions.find(), await states(store)) == known


async def test_a_domain_that_an_import_suppressed_outlasts_a_confirmation(store: Store) -> None:
    await suppress(store, SuppressedBy.IMPORT, None, "@example.org")

    assert (await confirm(store)).barred == Barred("@example.org: by import", NOW)
    assert await of_list(store) == []


async def test_the_operators_word_takes_the_place_of_the_readers_and_not_the_reverse(store: Store) -> None:
    await suppress(store, SuppressedBy.READER, LIST)
    await suppress(store, SuppressedBy.OPERATOR, LIST)
    await suppress(store, SuppressedBy.READER, LIST)

    [one] = await store.suppressions.find()
    assert (one.by, one.reason) == (SuppressedBy.OPERATOR, "by operator")
    assert (await confirm(store)).barred == Barred("by operator", NOW)
