from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from newsletter.core.delivery import Addressee, Change, DeliveryState, Planned, begun
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.ports import Store
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import (
    DAY,
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
    why,
)

NEXT_DAY = DAY + timedelta(days=1)


def by_number(reader: Subscriber, had: frozenset[int]) -> Planned:
    """Plan reader 3 three hours from now, and so on."""
    return Planned(due_at=NOW + int(reader.email[6:].partition("@")[0]) * HOUR)


async def test_what_is_due_is_claimed_oldest_first_and_once(store: Store) -> None:
    await join(store, *(subscriber(number) for number in (4, 0, 2, 1)))
    issue, _ = await store.issues.freeze(draft(), "Papers", by_number, now=NOW)

    async with store.outbox.worker() as worker:
        first = await claim(store.outbox, worker, now=NOW + 2 * HOUR, limit=2)
        second = await claim(store.outbox, worker, now=NOW + 2 * HOUR, limit=2)
        third = await claim(store.outbox, worker, now=NOW + 2 * HOUR, limit=2)

    emails = [delivery.subscriber.email for delivery in (*first, *second, *third)]
    assert emails == ["reader0@example.org", "reader1@example.org", "reader2@example.org"]
    assert first[1].issue_key == issue.key
    assert first[1].state is DeliveryState.QUEUED
    assert first[1].due_at == NOW + HOUR
    assert first[1].attempts == 0
    assert first[1].subscriber == Addressee(subscriber(1).email, subscriber(1).name)
    assert first[1].subscriber_key == await key_of(store, "daily", "reader1@example.org")


async def test_hastened_deliveries_are_due_now_those_of_a_later_hour_and_deferred_ones(store: Store) -> None:
    await join(store, subscriber(1), subscriber(2))
    issue, _ = await store.issues.freeze(draft(), "Papers", by_number, now=NOW)
    await store.outbox.hasten(issue.key, now=NOW)
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, now=NOW, limit=9, issue_key=issue.key)
        assert len(claimed) == 2
        await attempt(store, claimed[0], DeliveryState.DEFERRED)
        await store.outbox.release(worker, [one.key for one in claimed])

        again = await claim(store.outbox, worker, now=NOW, limit=9)
        assert [delivery.key for delivery in again] == [claimed[1].key]

        await store.outbox.hasten(issue.key, now=NOW)
        hastened = await claim(store.outbox, worker, now=NOW, limit=9)
        assert [delivery.key for delivery in hastened] == [claimed[0].key]


async def test_what_is_hastened_is_late_only_as_from_then(store: Store) -> None:
    issue = await frozen(store, 3)
    async with store.outbox.worker() as worker:
        first, second = await claim(store.outbox, worker, now=NOW, limit=2)
        await attempt(store, first, DeliveryState.DEFERRED)
        await attempt(store, second, DeliveryState.UNCERTAIN)
    later, hasten = NOW + 48 * HOUR, store.outbox.hasten

    await hasten(issue.key, now=later, states=[DeliveryState.DEFERRED])
    await hasten(issue.key, now=later, states=[DeliveryState.UNCERTAIN])
    await store.outbox.record([Change(key=second.key, state=DeliveryState.QUEUED, at=later)])
    assert await store.outbox.withdraw_late(issue.key, due_before=later, reason="late", now=later) == 1

    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=later, limit=9)
    assert {(one.key, one.due_at) for one in claimed} == {(first.key, later), (second.key, later)}


async def test_what_waits_for_an_hour_goes_on_waiting_if_others_are_hastened(store: Store) -> None:
    await join(store, subscriber(0), subscriber(1))
    issue, _ = await store.issues.freeze(draft(), "Papers", by_number, now=NOW)
    await store.outbox.hasten(issue.key, now=NOW, states=[DeliveryState.DEFERRED])
    assert await store.outbox.next_due(issue.key) == NOW
    async with store.outbox.worker() as worker:
        assert len(await claim(store.outbox, worker, now=NOW, limit=9)) == 1


async def test_deliveries_of_other_issues_are_not_claimed(store: Store) -> None:
    await frozen(store, 1)
    other = await frozen(store, 2, list_name="weekly")

    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, now=NOW, limit=9, issue_key=other.key)

    assert {delivery.issue_key for delivery in claimed} == {other.key}
    assert len(claimed) == 2


async def test_a_deferred_delivery_is_due_again_at_its_next_attempt(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, claimed, DeliveryState.DEFERRED, code=451, text="4.7.1 try later")
        [waiting] = await store.outbox.records()
        assert waiting.next_attempt_at is not None
        assert await store.outbox.next_due(claimed.issue_key) == waiting.next_attempt_at

        early = await claim(store.outbox, worker, now=waiting.next_attempt_at - timedelta(seconds=1), limit=1)
        [again] = await claim(store.outbox, worker, now=waiting.next_attempt_at, limit=1)
        await attempt(store, again, DeliveryState.SENT, code=250)

    assert early == []
    assert (again.state, again.attempts) == (DeliveryState.DEFERRED, 1)
    [sent] = await store.outbox.records()
    assert (sent.state, sent.attempts, sent.code, sent.next_attempt_at) == (DeliveryState.SENT, 2, 250, None)


async def test_two_claimers_at_once_never_get_the_same_delivery(opened: Opener) -> None:
    stores = [await opened() for _ in range(4)]
    await frozen(stores[0], 230)

    async def claim_all(store: Store) -> list[int]:
        keys: list[int] = []
        async with store.outbox.worker() as worker:
            while claimed := await claim(store.outbox, worker, now=NOW, limit=7):
                keys += [delivery.key for delivery in claimed]
        return keys

    keys = [key for claimed in await asyncio.gather(*map(claim_all, stores)) for key in claimed]

    assert len(keys) == len(set(keys)) == 230


async def test_what_was_claimed_and_not_begun_can_be_given_back(store: Store) -> None:
    await frozen(store, 3)
    async with store.outbox.worker() as worker, store.outbox.worker() as other:
        one, two = await claim(store.outbox, worker, now=NOW, limit=2)
        [three] = await claim(store.outbox, other, now=NOW, limit=2)
        await store.outbox.record([begun(one, NOW)])

        await store.outbox.release(worker, [one.key, two.key, three.key])

        again = await claim(store.outbox, other, now=NOW, limit=9)
    assert [delivery.key for delivery in again] == [two.key]
    assert three.key not in {one.key, two.key}


async def test_a_released_delivery_that_was_deferred_is_due_at_its_next_attempt(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, claimed, DeliveryState.DEFERRED)
        due_again = await store.outbox.next_due(claimed.issue_key)
        await claim(store.outbox, worker, now=NOW + 24 * HOUR, limit=1)
        assert await store.outbox.next_due(claimed.issue_key) is None

        await store.outbox.release(worker, [claimed.key])

    assert await store.outbox.next_due(claimed.issue_key) == due_again


async def test_an_outcome_is_on_record_with_all_that_the_relay_said(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.outbox.record([begun(claimed, NOW)])
        refused = outcome(claimed, DeliveryState.REFUSED, at=NOW + HOUR, code=550, text="5.7.1 no")
        await store.outbox.record([refused._replace(reason="given up")])

    [record] = await store.outbox.records()
    assert (record.list, record.day, record.email) == ("daily", DAY, "reader0@example.org")
    assert (record.state, record.attempts) == (DeliveryState.REFUSED, 1)
    assert (record.relay, record.code, record.text, record.reason) == ("relay:25", 550, "5.7.1 no", "given up")
    assert (record.updated_at, record.due_at, record.next_attempt_at) == (NOW + HOUR, NOW, None)


async def test_changes_are_taken_one_after_the_other_also_of_one_delivery(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)

        steps = [begun(claimed, NOW), outcome(claimed, DeliveryState.UNCERTAIN)]
        steps += [Change(key=claimed.key, state=DeliveryState.QUEUED, at=NOW)]
        assert not await store.outbox.record(steps)

        [again] = await claim(store.outbox, worker, now=NOW, limit=1)
    assert (again.key, again.attempts) == (claimed.key, 1)


async def test_a_change_that_is_not_a_step_forward_is_left_out_and_named(store: Store) -> None:
    await frozen(store, 2)
    async with store.outbox.worker() as worker:
        one, two = await claim(store.outbox, worker, now=NOW, limit=2)
        await attempt(store, one, DeliveryState.SENT)

        left_out = await store.outbox.record([begun(one, NOW), begun(two, NOW), begun(two._replace(key=99), NOW)])

    assert set(left_out) == {one.key, 99}
    assert [record.state for record in await store.outbox.records()] == [DeliveryState.SENT, DeliveryState.SENDING]


async def test_recording_nothing_is_fine(store: Store) -> None:
    assert not await store.outbox.record([])


async def test_a_message_that_was_stopped_by_our_own_trouble_is_due_again_at_once(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.outbox.record(
            [begun(claimed, NOW), Change(key=claimed.key, state=DeliveryState.QUEUED, at=NOW, attempts=0)]
        )

        [again] = await claim(store.outbox, worker, now=NOW, limit=1)

    assert again == claimed


async def test_a_dead_address_is_suppressed_on_all_lists_with_what_the_relay_said(store: Store) -> None:
    await frozen(store, 1)
    await frozen(store, 1, list_name="weekly")
    daily = await store.issues.find("daily", DAY)
    assert daily is not None
    async with store.outbox.worker() as worker:
        [claimed] = await store.outbox.claim(worker, now=NOW, limit=1, issue_key=daily.key)

        await attempt(store, claimed, DeliveryState.REFUSED, code=550, text="5.1.1 unknown", dead_address=True)
    assert await store.suppressions.judge(now=NOW) == []

    assert await suppressed(store, "any other list") == {"reader0@example.org"}
    [reader] = await of_list(store, "weekly")
    assert reader.status is SubscriberStatus.UNSUBSCRIBED
    states = {record.list: (record.state, why(record)) for record in await store.outbox.records()}
    assert states == {
        "daily": (DeliveryState.REFUSED, "5.1.1 unknown"),
        "weekly": (DeliveryState.WITHDRAWN, "suppressed: 550 5.1.1 unknown"),
    }


async def test_suppressed_deliveries_are_withdrawn_instead_of_claimed(store: Store) -> None:
    issue = await frozen(store, 4)
    async with store.outbox.worker() as worker:
        flying = await claim(store.outbox, worker, now=NOW, limit=3)
        await store.outbox.record([begun(delivery, NOW) for delivery in flying])
        for number in range(3):
            await store.subscribers.suppress(f"reader{number}@example.org", list_name=None, reason="left", now=NOW)
        await store.outbox.record(
            [Change(key=delivery.key, state=DeliveryState.QUEUED, at=NOW) for delivery in flying]
        )

        claimed = await claim(store.outbox, worker, now=NOW, limit=1)

    assert [delivery.subscriber.email for delivery in claimed] == ["reader3@example.org"]
    assert await store.outbox.suppressed_count(issue.key) == 3


@pytest.mark.parametrize(
    "text", ["nul \0 byte", "half a \ud83d pair", "two\r\nlines", "ünïcode ✓", "long " * 2000]
)
async def test_whatever_a_relay_says_can_be_recorded(store: Store, text: str) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, claimed, DeliveryState.REFUSED, text=text, dead_address=True)

    [record] = await store.outbox.records()
    assert record.text.isprintable()
    assert record.text[:3] == text[:3]
    assert len(record.text) <= 1000


async def test_open_issues_are_those_with_something_left_to_do_oldest_first(store: Store) -> None:
    newer = await frozen(store, 1, day=NEXT_DAY)
    older = await frozen(store, 1, day=DAY, number=2)
    await frozen(store, 1, list_name="weekly")
    assert await store.outbox.open_issues("daily") == [older.key, newer.key]

    async with store.outbox.worker() as worker:
        [claimed] = await store.outbox.claim(worker, now=NOW, limit=1, issue_key=older.key)
        await store.outbox.record([begun(claimed, NOW)])
        assert await store.outbox.open_issues("daily") == [older.key, newer.key]

        await store.outbox.record([outcome(claimed, DeliveryState.UNCERTAIN)])
        assert await store.outbox.open_issues("daily") == [newer.key]


async def test_the_next_due_is_the_first_of_an_issue_that_waits(store: Store) -> None:
    early = await frozen(store, 1, at=NOW + HOUR)
    late = await frozen(store, 1, list_name="weekly", at=NOW + 2 * HOUR)

    assert await store.outbox.next_due(late.key + 1) is None
    assert await store.outbox.next_due(early.key) == NOW + HOUR
    assert await store.outbox.next_due(late.key) == NOW + 2 * HOUR


async def test_records_can_be_narrowed_and_come_newest_issue_first(store: Store) -> None:
    await frozen(store, 2)
    await frozen(store, 0, day=NEXT_DAY, number=2)
    await frozen(store, 1, list_name="weekly")
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, claimed, DeliveryState.SENT)

    records = store.outbox.records
    assert [record.day for record in await records(list_name="daily")] == [NEXT_DAY, NEXT_DAY, DAY, DAY]
    assert len(await records(day=DAY)) == 3
    assert len(await records(list_name="daily", day=DAY)) == 2
    assert [record.key for record in await records(states=[DeliveryState.SENT])] == [claimed.key]
    assert len(await records(states=[DeliveryState.SENT, DeliveryState.QUEUED])) == 5
    assert len(await records(limit=2)) == 2


async def test_deliveries_of_one_moment_are_claimed_in_the_order_of_the_plan(store: Store) -> None:
    await join(store, subscriber("c"), subscriber("a"), subscriber("b"))
    await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    async with store.outbox.worker() as worker:
        first = await claim(store.outbox, worker, now=NOW, limit=2)
        second = await claim(store.outbox, worker, now=NOW, limit=2)

    keys = [delivery.key for delivery in (*first, *second)]
    assert keys == sorted(keys)


async def test_what_became_of_issues_for_a_subscriber_comes_newest_first(store: Store) -> None:
    await frozen(store, 2)
    await frozen(store, 0, day=NEXT_DAY, number=2)
    await frozen(store, 1, list_name="weekly")
    key = await key_of(store, "daily", "reader1@example.org")

    records = await store.outbox.of_subscriber(key, "daily", limit=5)
    assert [(record.day, record.email) for record in records] == [
        (NEXT_DAY, "reader1@example.org"),
        (DAY, "reader1@example.org"),
    ]
    assert [record.day for record in await store.outbox.of_subscriber(key, "daily", limit=1)] == [NEXT_DAY]
    assert await store.outbox.of_subscriber(key, "weekly", limit=5) == []
