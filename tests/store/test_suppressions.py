"""Suppressions as operators see them, and addresses that relays call dead, in each kind of store."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from newsletter.core.delivery import DeliveryState, Uncertain, begun
from newsletter.core.errors import UsageError
from newsletter.core.subscriber import SubscriberStatus
from newsletter.ports import Store, Suppression
from tests.claiming import claim
from tests.store.samples import DAY, NOW, attempt, frozen, of_list, outcome, suppressed

SENT, REFUSED = DeliveryState.SENT, DeliveryState.REFUSED
ANOTHER_DAY = timedelta(days=1)


def suppression(address: str, list_name: str | None = None, *, reason: str = "left") -> Suppression:
    return Suppression(address=address, list=list_name, reason=reason, since=NOW)


async def deliver(store: Store, number: int, outcomes: list[DeliveryState], at: datetime) -> None:
    """Make an issue, and let its deliveries end so; those that are refused are called dead."""
    await frozen(store, len(outcomes), day=DAY + timedelta(days=number), number=number)
    async with store.outbox.worker() as worker:
        claimed = await claim(store.outbox, worker, now=at, limit=1000)
        for one in claimed:
            state = outcomes[int(one.subscriber.email.partition("@")[0].removeprefix("reader"))]
            dead = state is REFUSED
            await attempt(store, one, state, code=550 if dead else 250, text="5.1.1 no", dead_address=dead, at=at)


async def standing(store: Store) -> dict[str, bool]:
    return {one.address: one.held for one in await store.suppressions.find()}


async def test_many_dead_addresses_of_a_domain_that_took_mail_before_are_held(store: Store) -> None:
    await deliver(store, 1, [SENT] * 6, NOW)
    assert await store.suppressions.judge(now=NOW) == []
    await deliver(store, 2, [REFUSED] * 5 + [SENT], NOW + ANOTHER_DAY)

    [held] = await store.suppressions.judge(now=NOW + ANOTHER_DAY)

    assert (held.domain, held.addresses, held.reason) == ("example.org", 5, "550 5.1.1 no")
    assert await standing(store) == {f"reader{n}@example.org": True for n in range(5)}
    assert await store.suppressions.held() == [held]
    assert await store.suppressions.held_on("daily") == 5
    assert await store.suppressions.held_on("weekly") == 0
    assert await suppressed(store, "daily") == set()
    assert await store.suppressions.judge(now=NOW + ANOTHER_DAY) == []  # told once


async def test_what_is_held_is_forgotten_when_it_is_taken_and_suppressed_when_it_is_dead_again(
    store: Store,
) -> None:
    await deliver(store, 1, [SENT] * 4, NOW)
    await deliver(store, 2, [REFUSED] * 4, NOW + ANOTHER_DAY)
    await store.suppressions.judge(now=NOW + ANOTHER_DAY)
    await deliver(store, 3, [REFUSED, SENT, SENT, SENT], NOW + 2 * ANOTHER_DAY)
    await store.suppressions.judge(now=NOW + 2 * ANOTHER_DAY)

    assert await standing(store) == {"reader0@example.org": False}
    assert await suppressed(store, "daily") == {"reader0@example.org"}


async def test_a_second_answer_of_the_same_day_is_the_same_mistake(store: Store) -> None:
    await deliver(store, 1, [SENT] * 4, NOW)
    await deliver(store, 2, [REFUSED] * 4, NOW + ANOTHER_DAY)
    await store.suppressions.judge(now=NOW + ANOTHER_DAY)
    later = NOW + ANOTHER_DAY + timedelta(hours=3)
    await deliver(store, 3, [REFUSED] * 4, later)
    await store.suppressions.judge(now=later)

    assert list((await standing(store)).values()) == [True] * 4


@pytest.mark.parametrize(
    "outcomes",
    [
        pytest.param([REFUSED] * 2 + [SENT] * 4, id="few"),
        pytest.param([REFUSED] * 3 + [SENT] * 200, id="few of many"),
    ],
)
async def test_few_dead_addresses_are_suppressed(store: Store, outcomes: list[DeliveryState]) -> None:
    await deliver(store, 1, [SENT] * len(outcomes), NOW)
    await deliver(store, 2, outcomes, NOW + ANOTHER_DAY)
    await store.suppressions.judge(now=NOW + ANOTHER_DAY)

    assert list((await standing(store)).values()) == [False] * outcomes.count(REFUSED)


async def test_dead_addresses_that_never_got_mail_are_suppressed(store: Store) -> None:
    await deliver(store, 1, [REFUSED] * 6, NOW)
    assert await store.suppressions.judge(now=NOW) == []

    assert list((await standing(store)).values()) == [False] * 6


async def test_suppressions_are_added_found_and_lifted_again(store: Store) -> None:
    await frozen(store, 2)
    both = [suppression("READER0@example.org"), suppression("reader1@example.org", "daily", reason="asked")]

    assert await store.suppressions.add(both, now=NOW) == 2
    assert await store.suppressions.add(both, now=NOW) == 0
    found = await store.suppressions.find()
    assert [(one.address, one.list, one.reason, one.since) for one in found] == [
        ("reader0@example.org", None, "left", NOW),
        ("reader1@example.org", "daily", "asked", NOW),
    ]
    assert len(await store.suppressions.find(list_name="weekly")) == 1
    assert {one.status for one in await of_list(store, "daily")} == {SubscriberStatus.UNSUBSCRIBED}

    await store.suppressions.lift(["reader0@example.org"], list_name=None, now=NOW)
    await store.suppressions.lift(["Reader1@example.org"], list_name="daily", now=NOW)
    assert await store.suppressions.find() == []
    assert {one.status for one in await of_list(store, "daily")} == {SubscriberStatus.ACTIVE}


async def test_who_left_one_list_stays_out_of_it_when_the_suppression_for_all_is_lifted(store: Store) -> None:
    await frozen(store, 1)
    await frozen(store, 1, list_name="weekly")
    wanted = [suppression("reader0@example.org"), suppression("reader0@example.org", "daily")]
    await store.suppressions.add(wanted, now=NOW)

    await store.suppressions.lift(["reader0@example.org"], list_name=None, now=NOW)

    [daily], [weekly] = [await of_list(store, name) for name in ("daily", "weekly")]
    assert (daily.status, weekly.status) == (SubscriberStatus.UNSUBSCRIBED, SubscriberStatus.ACTIVE)


async def test_lifting_what_is_not_suppressed_changes_nothing(store: Store) -> None:
    await store.suppressions.add(
        [suppression("ann@example.org"), suppression("bob@example.org", "daily")], now=NOW
    )

    with pytest.raises(UsageError, match=r"bob@example\.org"):
        await store.suppressions.lift(["ann@example.org", "bob@example.org"], list_name=None, now=NOW)

    assert len(await store.suppressions.find()) == 2


async def test_the_mark_of_a_ledger_rises_and_its_identity_stays(store: Store) -> None:
    name, mark, _, place = await store.high_water.read()

    assert await store.high_water.advance() == mark + 1
    assert await store.high_water.advance(at_least=100) == 100
    assert await store.high_water.advance(at_least=7) == 101
    assert await store.high_water.read() == (name, 101, None, place)


async def test_how_often_a_delivery_came_into_a_state_is_known(store: Store) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [one] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, one, DeliveryState.UNCERTAIN)

    assert await store.outbox.times(one.key, DeliveryState.UNCERTAIN) == 1
    assert await store.outbox.times(one.key, DeliveryState.SENT) == 0


@pytest.mark.parametrize("state", [DeliveryState.REFUSED, DeliveryState.QUEUED])
async def test_a_refusal_in_doubt_that_was_deferred_is_decided_later(store: Store, state: DeliveryState) -> None:
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [one] = await claim(store.outbox, worker, now=NOW, limit=1)
        change = outcome(one, DeliveryState.DEFERRED, code=550, text="5.7.1 no")
        assert not await store.outbox.record([begun(one, NOW), change])
        attempts = 0 if state is DeliveryState.QUEUED else 1
        decided = change._replace(state=state, next_attempt_at=None, attempts=attempts)
        assert not await store.outbox.record([decided])

    [record] = await store.outbox.records()
    assert (record.state, record.attempts, record.next_attempt_at) == (state, attempts, None)


async def test_what_a_dead_worker_held_whose_notes_are_lost_counts_as_in_flight(store: Store) -> None:
    await frozen(store, 3)
    async with store.outbox.worker() as worker:
        await claim(store.outbox, worker, now=NOW, limit=2)

    assert await store.outbox.recover(Uncertain.HOLD, now=NOW, unread=[worker]) == 2

    states = sorted(record.state for record in await store.outbox.records())
    assert states == [DeliveryState.QUEUED, DeliveryState.UNCERTAIN, DeliveryState.UNCERTAIN]
