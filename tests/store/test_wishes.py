"""What readers choose by themselves is kept at once, wins over the files, and a pause takes back what waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import sqlalchemy as sa

from newsletter.core.delivery import DeliveryState, begun
from newsletter.core.newsletter_list import Cadence
from newsletter.core.steps import PAUSED
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus, Wishes
from newsletter.core.syncing import ChangeKind, SyncCounts
from newsletter.ports import Store
from newsletter.readers.sync import as_synced
from newsletter.store.engine import Database
from newsletter.store.tables import subscribers as table
from tests.claiming import claim
from tests.rosters import member
from tests.store.samples import DAY, HOUR, LIST, NOW, frozen, instead, join, key_of, of_list, subscriber, synced

LATER = NOW + timedelta(days=1)
OWN = Wishes(name="Ann", topics=("vision",), cadence=Cadence.WEEKLY, days=(0, 3), language="de")


async def keep(store: Store, wishes: Wishes, number: int = 1) -> None:
    key = await key_of(store, LIST, f"reader{number}@example.org")
    assert await store.subscribers.change_wishes(key, lambda _: wishes, now=NOW)


async def test_wishes_are_kept_whole_and_no_sync_overwrites_them(store: Store) -> None:
    await synced(store, subscriber(1, topics=("agents",)), subscriber(2))
    await keep(store, OWN)
    own = replace(subscriber(1), **OWN._asdict())
    assert (await of_list(store))[0] == own

    named = subscriber(1, topics=("agents",), name="Anne"), subscriber(2, name="Bob")
    async with store.subscribers.compare(LIST, map(member, named)) as comparison:
        [kept] = await comparison.changes(ChangeKind.KEEPS, limit=9)
        counts = await comparison.apply(None, now=LATER)

    assert counts == SyncCounts(changed=1, unchanged=1, keeping=1)
    assert kept.email == "reader1@example.org"
    assert kept.reason.startswith(f"since {NOW:%F}; not taken over: name: 'Ann' → 'Anne'; topics: vision → agents")
    assert kept.reason.endswith("days: mon, thu → the list's; language: 'de' → the list's")
    assert await of_list(store) == [own, named[1]]


async def test_who_keeps_own_wishes_is_not_named_where_the_files_say_the_same(store: Store) -> None:
    await synced(store, subscriber(1))
    await keep(store, OWN)
    assert await synced(store, replace(subscriber(1), **OWN._asdict())) == SyncCounts(unchanged=1)


async def test_out_of_the_file_is_removed_whatever_they_chose_and_back_in_it_they_keep_that(store: Store) -> None:
    await synced(store, subscriber(1), subscriber(2))
    await keep(store, OWN)
    assert (await synced(store, subscriber(2))).removed == 1
    assert (await synced(store, subscriber(1, name="Anne"), subscriber(2))).reactivated == 1
    assert (await of_list(store))[0] == replace(subscriber(1), **OWN._asdict())


async def test_wishes_that_are_kept_between_comparing_and_applying_are_not_overwritten(store: Store) -> None:
    await synced(store, subscriber(1))
    async with store.subscribers.compare(LIST, [member(subscriber(1, name="Anne"))]) as comparison:
        await keep(store, OWN)
        await comparison.apply(None, now=LATER)
    assert await of_list(store) == [replace(subscriber(1), **OWN._asdict())]


async def test_what_a_sync_would_make_of_somebody_is_known_before_it(store: Store) -> None:
    pause = Wishes(paused_until=date(2026, 5, 1))
    cases = list(product(SubscriberStatus, [Origin.FILE, Origin.WEB], [None, OWN, pause]))
    named = [subscriber(f"{number:02}", name="Anne") for number in range(len(cases))]
    for one, (status, origin, wishes) in zip(named, cases, strict=True):
        await join(store, replace(one, name="", topics=("agents",), origin=origin))
        if wishes:
            await store.subscribers.change_wishes(await key_of(store, LIST, one.email), instead(wishes), now=NOW)
        await set_status(store, one, status)

    expected = [await as_synced(store.subscribers, LIST, member(one)) for one in named]
    await synced(store, *named)

    assert await of_list(store) == expected


async def set_status(store: Store, known: Subscriber, status: SubscriberStatus) -> None:
    database: Database = store._database  # type: ignore[attr-defined]
    async with database.write() as connection:
        await connection.execute(sa.update(table).where(table.c.email == known.email).values(status=status))


async def test_a_pause_alone_leaves_the_other_wishes_to_the_file(store: Store) -> None:
    await synced(store, subscriber(1))
    await keep(store, Wishes(paused_until=date(2026, 5, 1)))
    assert (await synced(store, subscriber(1, name="Ann"))).changed == 1
    [reader] = await of_list(store)
    assert (reader.name, reader.paused_until) == ("Ann", date(2026, 5, 1))


async def test_the_operator_reads_since_when_wishes_are_the_readers_own(store: Store) -> None:
    await synced(store, subscriber(1), subscriber(2))
    await keep(store, OWN)
    key = await key_of(store, LIST, "reader1@example.org")
    await store.subscribers.change_wishes(key, lambda _: OWN._replace(name="Anna"), now=LATER)
    first, second = await store.subscribers.records(list_name=LIST)
    assert (first.own_wishes_since, first.changed_at, second.own_wishes_since) == (NOW, LATER, None)


async def test_languages_are_those_of_active_readers_of_an_edition(store: Store) -> None:
    weekly = {"cadence": Cadence.WEEKLY, "language": "fr"}
    await join(
        store,
        subscriber(1, language="de"),
        subscriber(2, language="de"),
        subscriber(3),
        subscriber(4, **weekly),
        subscriber(5, language="ja", status=SubscriberStatus.UNSUBSCRIBED),
        subscriber(6, "other", language="pt"),
    )
    assert await store.subscribers.languages(LIST, lambda _: True) == {"de", "fr"}
    assert await store.subscribers.languages(LIST, lambda cadence: cadence is None) == {"de"}


async def test_what_is_chosen_on_two_pages_at_once_is_kept_both_of_it(store: Store) -> None:
    await synced(store, subscriber(1, topics=("agents",)))
    key = await key_of(store, LIST, "reader1@example.org")
    changes: list[Callable[[Wishes], Wishes]] = [
        lambda wishes: wishes._replace(cadence=Cadence.WEEKLY),
        lambda wishes: wishes._replace(language="de"),
        lambda wishes: wishes._replace(topics=(*wishes.topics, "vision")),
    ]
    await asyncio.gather(*(store.subscribers.change_wishes(key, change, now=NOW) for change in changes))
    [reader] = await of_list(store)
    assert (reader.cadence, reader.language, reader.topics) == (Cadence.WEEKLY, "de", ("agents", "vision"))


async def test_nobody_who_left_is_changed(store: Store) -> None:
    await join(store, subscriber(1, status=SubscriberStatus.UNSUBSCRIBED, origin=Origin.WEB))
    key = await key_of(store, LIST, "reader1@example.org")
    assert await store.subscribers.change_wishes(key, lambda _: OWN, now=LATER) is None
    assert await store.subscribers.change_wishes(key + 1, lambda _: OWN, now=LATER) is None
    [record] = await store.subscribers.records(list_name=LIST)
    assert (record.changed_at, record.subscriber.name) == (NOW, "")


async def test_who_is_put_on_a_list_anew_pauses_no_more(store: Store) -> None:
    await synced(store, subscriber(1))
    await keep(store, OWN._replace(paused_until=date(2026, 5, 1)))
    await synced(store)
    assert await store.subscribers.add(LIST, member(subscriber(1)), Origin.COMMAND, now=LATER)
    [record] = await store.subscribers.records(list_name=LIST)
    assert (record.subscriber, record.own_wishes_since) == (subscriber(1, origin=Origin.COMMAND), None)


async def test_a_pause_withdraws_what_waits_of_issues_before_its_end(store: Store) -> None:
    await frozen(store, 2)
    await frozen(store, day=DAY + timedelta(days=7), number=2)
    await keep(store, Wishes(paused_until=DAY + timedelta(days=7)), number=0)

    [first, second] = [await store.outbox.records(list_name=LIST, day=DAY + timedelta(days=7 * n)) for n in (0, 1)]
    assert [(one.state, one.reason) for one in first] == [
        (DeliveryState.WITHDRAWN, PAUSED.reason),
        (DeliveryState.QUEUED, ""),
    ]
    assert [one.state for one in second] == [DeliveryState.QUEUED] * 2


async def test_a_pause_that_began_while_the_issue_was_closed_is_found_when_it_is_claimed(store: Store) -> None:
    issue = await frozen(store, 2)
    await join(store, subscriber(0, paused_until=DAY + timedelta(days=1)), subscriber(1, paused_until=DAY))
    async with store.outbox.worker() as worker:
        [delivery] = await store.outbox.claim(worker, issue_key=issue.key, now=NOW + HOUR, limit=9)
    assert delivery.subscriber.email == "reader1@example.org"
    [record] = await store.outbox.records(list_name=LIST, states=[DeliveryState.WITHDRAWN])
    assert (record.email, record.reason) == ("reader0@example.org", PAUSED.reason)


async def test_what_is_in_flight_when_a_pause_begins_goes_on(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [delivery] = await claim(store.outbox, worker, now=NOW + HOUR, limit=9)
        await store.outbox.record([begun(delivery, NOW)])
        await keep(store, Wishes(paused_until=date.max), number=0)
        [record] = await store.outbox.records(list_name=LIST)
        assert record.state is DeliveryState.SENDING
