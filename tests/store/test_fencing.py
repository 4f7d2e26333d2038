"""A worker that was taken for dead and wakes up: what it writes then changes nothing that others went on with."""

from __future__ import annotations

import pytest

from newsletter.core.delivery import Delivery, DeliveryState, Uncertain, begun
from newsletter.ports import Store
from tests.claiming import claim
from tests.store.samples import LIST, NOW, frozen, outcome, suppressed


async def taken_for_dead(store: Store, policy: Uncertain) -> tuple[str, Delivery, Delivery]:
    """Let a worker begin one delivery, claim another, and be taken for dead; return its name and both."""
    await frozen(store, 2)
    async with store.outbox.worker() as worker:
        in_flight, claimed = await claim(store.outbox, worker, now=NOW, limit=2)
        assert not await store.outbox.record([begun(in_flight, NOW)], worker=worker)
    assert await store.outbox.recover(policy, now=NOW) == 1
    return worker, in_flight, claimed


async def states(store: Store) -> list[DeliveryState]:
    return [record.state for record in await store.outbox.records()]


async def test_what_it_had_claimed_it_begins_no_more(store: Store) -> None:
    worker, _, claimed = await taken_for_dead(store, Uncertain.HOLD)

    assert await store.outbox.record([begun(claimed, NOW)], worker=worker) == {claimed.key}

    async with store.outbox.worker() as other:
        [again] = await claim(store.outbox, other, now=NOW, limit=2)
        assert await store.outbox.record([begun(again, NOW)], worker=worker) == {claimed.key}
        assert not await store.outbox.record([begun(again, NOW)], worker=other)
        await store.outbox.release(worker, [claimed.key])
        assert not await store.outbox.record([outcome(again, DeliveryState.SENT)], worker=other)
    assert await states(store) == ["uncertain", "sent"]


async def test_that_its_message_was_taken_is_learnt_late(store: Store) -> None:
    worker, in_flight, _ = await taken_for_dead(store, Uncertain.HOLD)

    assert not await store.outbox.record([outcome(in_flight, DeliveryState.SENT)], worker=worker)

    assert await states(store) == ["sent", "queued"]


@pytest.mark.parametrize("policy", Uncertain)
async def test_its_late_refusal_suppresses_nobody(store: Store, policy: Uncertain) -> None:
    worker, in_flight, _ = await taken_for_dead(store, policy)
    late = outcome(in_flight, DeliveryState.REFUSED, dead_address=True)

    async with store.outbox.worker() as other:
        for again in await claim(store.outbox, other, now=NOW, limit=2):
            await store.outbox.record([begun(again, NOW)], worker=other)
        before = await states(store)
        assert await store.outbox.record([late], worker=worker) == {in_flight.key}
        assert await states(store) == before

    await store.suppressions.judge(now=NOW)
    assert not await suppressed(store, LIST)
