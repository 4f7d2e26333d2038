"""Deliveries by their state: however they are counted and looked for, it is as if all were read."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.steps import OPEN
from newsletter.ports import Store
from newsletter.store import open_store
from newsletter.store.sql import SqlStore
from newsletter.store.tables import deliveries
from tests import examples
from tests.store.conftest import Opener
from tests.store.samples import DAY, HOUR, NOW, at, attempt, draft, due, frozen, join, subscriber

_READERS = 5
_ISSUES = 3
_DELIVERIES = _READERS * _ISSUES

steps = st.lists(st.tuples(st.integers(1, _DELIVERIES), st.sampled_from(DeliveryState)), max_size=60)


async def after(history: list[tuple[int, DeliveryState]]) -> None:
    """Let deliveries take steps, and compare what the store says with what it holds."""
    store = await open_store("sqlite://")
    assert isinstance(store, SqlStore)
    try:
        await join(store, *(subscriber(number) for number in range(_READERS)))
        for number in range(_ISSUES):
            made = draft(day=DAY + timedelta(days=number), number=number + 1)
            await store.issues.freeze(made, "Papers", due(), now=NOW)
        await store.outbox.record([Change(key=key, state=state, at=NOW) for key, state in history])
        async with store._database.read() as connection:
            held = [
                tuple(row)
                for row in await connection.execute(
                    sa.select(deliveries.c.issue_key, deliveries.c.state, deliveries.c.key).order_by(
                        deliveries.c.key
                    )
                )
            ]
        await says_what_it_holds(store, held)
    finally:
        await store.close()


async def says_what_it_holds(store: Store, held: list[tuple[int, DeliveryState, int]]) -> None:
    for issue in range(1, _ISSUES + 1):
        plain = Counter(state for key, state, _ in held if key == issue)
        assert await store.outbox.counts(issue) == {state: plain[state] for state in DeliveryState}
    by_day = {summary.number: summary.deliveries for summary in await store.issues.history()}
    assert sum(sum(counts.values()) for counts in by_day.values()) == len(held)
    assert await store.outbox.open_issues() == sorted({key for key, state, _ in held if state in OPEN})
    for state in DeliveryState:
        assert await store.outbox.issues_with(state) == sorted({key for key, is_in, _ in held if is_in is state})
        found = await store.outbox.records(states=[state, DeliveryState.SENT], limit=7)
        newest_first = sorted(held, key=lambda one: (-one[0], one[2]))
        wanted = [key for _, is_in, key in newest_first if is_in in {state, DeliveryState.SENT}]
        assert [record.key for record in found] == wanted[:7]


@settings(max_examples=examples.slow(20), deadline=None)
@given(steps)
def test_counting_by_what_is_left_is_counting(history: list[tuple[int, DeliveryState]]) -> None:
    asyncio.run(after(history))


async def test_what_changes_meanwhile_is_counted_once(store: Store) -> None:
    issue = await frozen(store, 3)
    async with store.outbox.worker() as worker:
        for delivery in await store.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=3):
            before, _, after = await asyncio.gather(
                store.outbox.counts(issue.key),
                attempt(store, delivery, DeliveryState.SENT),
                store.outbox.counts(issue.key),
            )
            assert sum(before.values()) == sum(after.values()) == 3
    assert (await store.outbox.counts(issue.key))[DeliveryState.SENT] == 3


async def test_what_a_worker_holds_is_still_queued_or_deferred(store: Store) -> None:
    issue = await frozen(store, 5)
    async with store.outbox.worker() as worker:
        [first] = await store.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=1)
        await attempt(store, first, DeliveryState.DEFERRED)
        assert len(await store.outbox.claim(worker, issue_key=issue.key, now=NOW + HOUR, limit=5)) == 5  # all

        counts = await store.outbox.counts(issue.key)
        assert (counts[DeliveryState.QUEUED], counts[DeliveryState.DEFERRED], sum(counts.values())) == (4, 1, 5)
        queued = await store.outbox.records(states=[DeliveryState.QUEUED])
        assert [record.email for record in queued] == [f"reader{number}@example.org" for number in range(1, 5)]
        assert (
            await store.outbox.issues_with(DeliveryState.QUEUED) == await store.outbox.open_issues() == [issue.key]
        )
        assert await store.outbox.hasten(issue.key, now=NOW) == 5
        assert await store.halts.withdraw(issue.key, now=NOW) == 0


async def test_of_many_that_are_queued_those_that_are_due_first_are_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.store.states._PUT_IN_ORDER", 0)
    issue = await frozen(store, 4, at=NOW + HOUR)
    [*_, last] = await store.outbox.records()
    await store.outbox.hasten(issue.key, now=NOW, key=last.key)

    [due_first] = await store.outbox.records(states=[DeliveryState.QUEUED], limit=1)
    assert due_first.key == last.key
    assert [record.key for record in await store.outbox.records(limit=9)] == [1, 2, 3, 4]


async def test_many_are_changed_some_at_a_time(url: str, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.store.outbox._PIECE", 2)
    store = await opened()
    issue = await frozen(store, 5, at=NOW + HOUR)
    async with at(url) as database:
        begun: list[object] = []
        sa.event.listen(database.writer.sync_engine, "begin", begun.append)
        hastened, _ = await asyncio.gather(
            SqlStore(database).outbox.hasten(issue.key, now=NOW),
            store.subscribers.suppress("reader4@example.org", list_name=None, reason="left", now=NOW),
        )

    assert len(begun) >= 2
    assert hastened >= 4
    assert await store.outbox.next_due(issue.key) == NOW
    assert await store.outbox.withdraw_late(issue.key, due_before=NOW + HOUR, reason="late", now=NOW) == 4
    assert await store.outbox.open_issues() == []
