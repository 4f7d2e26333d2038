"""What an operator says of an issue, through a real store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.errors import UsageError
from newsletter.core.halt import Halt, Order
from newsletter.operations.halting import obey
from newsletter.ports import Store
from tests.delivery.fakes import NOW
from tests.delivery.stores import freeze_for

DEFERRED, WITHDRAWN = DeliveryState.DEFERRED, DeliveryState.WITHDRAWN


async def test_what_was_deferred_is_due_when_the_issue_goes_on(store: Store) -> None:
    issue = await freeze_for(store, 3)
    async with store.outbox.worker() as worker:
        [one] = await store.outbox.claim(worker, issue_key=issue, now=NOW, limit=1)
        begun = Change(key=one.key, state=DeliveryState.SENDING, at=NOW, attempts=1)
        later = NOW + timedelta(hours=4)
        await store.outbox.record([begun, begun._replace(state=DEFERRED, next_attempt_at=later)])
        await obey(store, "daily", None, Order.PAUSE, now=NOW)
        resumed = await obey(store, "daily", None, Order.RESUME, now=NOW + timedelta(hours=1))
        claimed = await store.outbox.claim(worker, issue_key=issue, now=NOW + timedelta(hours=1), limit=9)
    assert (resumed.waiting, resumed.issue.halt) == (3, None)
    [tried] = [each for each in claimed if each.key == one.key]
    assert tried.due_at == NOW + timedelta(hours=1)  # from when on it is given up


async def test_a_part_is_withdrawn_at_once_and_the_rest_waits_for_the_next_run(store: Store) -> None:
    await freeze_for(store, 5)
    halted = await obey(store, "daily", None, Order.CANCEL, now=NOW, most=2)
    assert (halted.withdrawn, halted.waiting, halted.state.halt) == (2, 3, Halt.CANCELLED)
    assert halted.issue.deliveries[WITHDRAWN] == 2


async def test_mistakes_name_the_list_and_the_day(store: Store) -> None:
    await freeze_for(store, 1)
    with pytest.raises(UsageError, match="list 'other' has no issue: see `newsletter issues list`"):
        await obey(store, "other", None, Order.PAUSE, now=NOW)
    await obey(store, "daily", None, Order.CANCEL, now=NOW)
    with pytest.raises(UsageError, match=r"daily 2026-03-13: it is cancelled since 2026-03-12 08:00 UTC"):
        await obey(store, "daily", None, Order.PAUSE, now=NOW)
