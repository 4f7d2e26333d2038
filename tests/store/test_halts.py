"""Issues that the operator pauses or cancels, in each engine."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.halt import Halt, Order
from newsletter.core.steps import CANCELLED
from newsletter.ports import Store
from tests.delivery.fakes import NOW
from tests.delivery.stores import freeze_for
from tests.store.conftest import Opener

QUEUED, SENT, WITHDRAWN = DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.WITHDRAWN


async def claimed(store: Store, issue: int, worker: str, limit: int = 100) -> list[int]:
    return [one.key for one in await store.outbox.claim(worker, issue_key=issue, now=NOW, limit=limit)]


async def test_nothing_of_a_paused_issue_is_claimed_until_it_is_resumed(store: Store) -> None:
    issue = await freeze_for(store, 3)
    await store.halts.obey(issue, Order.PAUSE, now=NOW)
    async with store.outbox.worker() as worker:
        assert await claimed(store, issue, worker) == []
        state = await store.halts.obey(issue, Order.RESUME, now=NOW + timedelta(hours=2))
        assert len(await claimed(store, issue, worker)) == 3
    assert state == await store.halts.of(issue)
    assert (state.halt, state.paused_for) == (None, timedelta(hours=2))


async def test_nothing_of_a_paused_issue_is_withdrawn(store: Store) -> None:
    issue = await freeze_for(store, 3)
    await store.halts.obey(issue, Order.PAUSE, now=NOW)
    assert await store.halts.withdraw(issue, now=NOW) == 0
    assert (await store.outbox.counts(issue))[QUEUED] == 3


async def test_cancelling_leaves_a_worker_what_it_holds_and_takes_it_once_it_is_given_back(store: Store) -> None:
    issue = await freeze_for(store, 5)
    async with store.outbox.worker() as worker:
        held = await claimed(store, issue, worker, limit=2)
        await store.halts.obey(issue, Order.CANCEL, now=NOW)
        assert await store.halts.withdraw(issue, now=NOW) == 3
        steps = (DeliveryState.SENDING, SENT)
        await store.outbox.record([Change(key=held[0], state=step, at=NOW, attempts=1) for step in steps])
        await store.outbox.release(worker, held[1:])
        assert await claimed(store, issue, worker) == []
    assert await store.halts.withdraw(issue, now=NOW) == 1
    counts = await store.outbox.counts(issue)
    assert (counts[SENT], counts[WITHDRAWN], counts[QUEUED]) == (1, 4, 0)
    [one] = await store.outbox.records(states=[WITHDRAWN], limit=1)
    assert one.reason == CANCELLED.reason
    assert await store.outbox.open_issues() == []


async def test_what_is_cancelled_is_not_resumed_and_cancelled_once(store: Store) -> None:
    issue = await freeze_for(store, 1)
    first = await store.halts.obey(issue, Order.CANCEL, now=NOW)
    assert await store.halts.obey(issue, Order.CANCEL, now=NOW + timedelta(hours=1)) == first
    for order in (Order.PAUSE, Order.RESUME):
        with pytest.raises(UsageError, match="for good"):
            await store.halts.obey(issue, order, now=NOW)
    with pytest.raises(UsageError, match="no such issue"):
        await store.halts.obey(issue + 1, Order.PAUSE, now=NOW)


async def test_of_two_operators_at_once_cancelling_wins(opened: Opener) -> None:
    one, other = await opened(), await opened()
    issue = await freeze_for(one, 20)
    await one.halts.obey(issue, Order.PAUSE, now=NOW)
    await asyncio.gather(
        one.halts.obey(issue, Order.CANCEL, now=NOW),
        other.halts.obey(issue, Order.RESUME, now=NOW),
        return_exceptions=True,
    )
    assert (await other.halts.of(issue)).halt is Halt.CANCELLED
    withdrawn = await asyncio.gather(*(each.halts.withdraw(issue, now=NOW, most=15) for each in (one, other, one)))
    assert sum(withdrawn) == 20
    assert (await one.outbox.counts(issue))[WITHDRAWN] == 20
