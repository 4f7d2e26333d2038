"""The ledger remembers every step of every delivery."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import FORWARD, Change, DeliveryState, Uncertain, begun
from newsletter.core.steps import Standing, walk
from newsletter.store.tables import delivery_events
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import NOW, at, attempt, frozen


async def events(url: str) -> Sequence[tuple[Any, ...]]:
    """Return all events that are on record, without their own keys."""
    query = sa.select(*list(delivery_events.c)[1:]).order_by(delivery_events.c.key)
    async with at(url) as database, database.read() as connection:
        return [tuple(row) for row in await connection.execute(query)]


async def test_every_step_is_kept_with_what_the_relay_said(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, claimed, DeliveryState.DEFERRED, code=451, text="4.7.1 later")
        await store.subscribers.suppress("reader0@example.org", list_name=None, reason="left", now=NOW)
        await store.outbox.record([begun(claimed, NOW)])

    assert await events(url) == [
        (claimed.key, NOW, DeliveryState.SENDING, 1, "", None, "", ""),
        (claimed.key, NOW, DeliveryState.DEFERRED, 1, "relay:25", 451, "4.7.1 later", ""),
        (claimed.key, NOW, DeliveryState.WITHDRAWN, 1, "", None, "left", "suppressed"),
    ]


async def test_what_was_on_its_way_when_its_reader_left_is_sent(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.subscribers.suppress("reader0@example.org", list_name=None, reason="left", now=NOW)
        sent = Change(key=claimed.key, state=DeliveryState.SENT, at=NOW, attempts=1, relay="relay:25", code=250)
        await store.outbox.record([begun(claimed, NOW), sent])  # as a journal tells it, in batches

    [record] = await store.outbox.records()
    assert (record.state, record.attempts, record.reason) == (DeliveryState.SENT, 1, "")
    assert (await events(url))[-1] == (claimed.key, NOW, DeliveryState.SENT, 1, "relay:25", 250, "", "")
    assert await store.outbox.suppressed_count(claimed.issue_key) == 0


async def test_a_recovery_is_kept_too(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await store.outbox.record([begun(claimed, NOW)])
    await store.outbox.recover(Uncertain.RESEND, now=NOW)

    assert [(event[2], event[3], event[7]) for event in await events(url)] == [
        (DeliveryState.SENDING, 1, ""),
        (DeliveryState.UNCERTAIN, 1, "cut off in flight"),
        (DeliveryState.QUEUED, 1, "cut off in flight"),
    ]


async def test_a_time_without_a_zone_is_refused(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await frozen(store, 1)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        with pytest.raises(ValueError, match="has no time zone"):
            await store.outbox.record([begun(claimed, NOW.replace(tzinfo=None))])

    assert await events(url) == []


@given(st.lists(st.sampled_from(DeliveryState), max_size=12), st.sampled_from(DeliveryState))
def test_a_delivery_only_ever_moves_forward(wanted: list[DeliveryState], start: DeliveryState) -> None:
    changes = [Change(key=1, state=state, at=NOW) for state in wanted]

    walked = walk({1: Standing(start, NOW)}, changes)

    taken = [start, *(DeliveryState(step.state) for step in walked.steps)]
    assert all(state in FORWARD[before] for before, state in pairwise(taken))
    assert len(walked.steps) + len(walked.left_out) == len(changes)
    assert all((step.claimed_by is not None) == (step.state == "sending") for step in walked.steps)
    assert all((step.ready_at is not None) == (step.state in {"queued", "deferred"}) for step in walked.steps)
