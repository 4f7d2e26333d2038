"""Alarms, beats and what they are made of, in each engine."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from newsletter.core.alarms import Cause, Found
from newsletter.core.bounces import EventKind, FoundBy, InboundEvent
from newsletter.core.delivery import DeliveryState
from newsletter.ports import Beat, Returned, Store
from newsletter.ports.beats import RUN, SCHEDULER
from tests.delivery.fakes import NOW
from tests.delivery.stores import freeze_for
from tests.store.conftest import Opener
from tests.store.samples import DAY, SOURCE, paper, record
from tests.store.test_oversight import DEFERRED, SENT, bring

DUE = NOW - timedelta(minutes=5)
RELAY = "relay.example:587"
REFUSED = DeliveryState.REFUSED


async def test_of_many_who_find_the_same_trouble_at_once_one_tells_of_it(opened: Opener) -> None:
    stores = [await opened() for _ in range(4)]

    async def ring(store: Store) -> Found:
        return await store.alarms.ring(Cause.RELAY, RELAY, "no", day=None, tell=["mail", "hook"], now=NOW)

    assert sorted(await asyncio.gather(*map(ring, stores))).count(Found.NEW) == 1
    over = [store.alarms.over([Cause.RELAY], RELAY, tell=["mail", "hook"], now=NOW) for store in stores]
    assert sum(map(len, await asyncio.gather(*over))) == 1
    counts = {one.receiver: one.waiting for one in await stores[0].notices.counts()}
    assert counts == {"mail": 2, "hook": 2}
    [alarm] = await stores[0].alarms.newest(limit=9)
    assert (alarm.subject, alarm.since, alarm.over_at) == (RELAY, NOW, NOW)
    assert await stores[0].alarms.lasting() == []


async def test_the_last_beat_of_each_work_counts_and_dead_processes_are_forgotten(store: Store) -> None:
    minute, day = timedelta(minutes=1), timedelta(days=1)
    for process, at in (("a:1", NOW), ("b:2", NOW + minute), ("a:1", NOW + minute / 2)):
        await store.beats.note(SCHEDULER, process, now=at, fresh_for=minute)
    await store.beats.note(RUN, "c:3", now=NOW, fresh_for=day)
    newest = {beat.work: beat for beat in await store.beats.newest()}
    assert newest[SCHEDULER] == Beat(work=SCHEDULER, process="b:2", at=NOW + minute, fresh_until=NOW + 2 * minute)
    await store.beats.note(RUN, "c:3", now=NOW + 2 * day, fresh_for=day)
    assert [beat.work for beat in await store.beats.newest()] == [RUN]


async def test_what_became_of_mail_is_counted_by_list(store: Store) -> None:
    issue = await freeze_for(store, 5)
    first, second, _, _ = await bring(store, issue, SENT, SENT, SENT, REFUSED)
    came = {first: EventKind.HARD, second: EventKind.COMPLAINT}
    events = [
        InboundEvent(id=str(key), source="mail", kind=kind, delivery_key=key, found_by=FoundBy.HEADER)
        for key, kind in came.items()
    ]
    await store.inbound.take(events, now=NOW)
    (list_name,) = {one.list for one in (await store.issues.summaries([issue])).values()}
    expected = Returned(list=list_name, sent=3, refused=1, bounced=1, complained=1)
    assert await store.oversight.returned(NOW - timedelta(days=7)) == [expected]
    assert await store.oversight.returned(NOW + timedelta(days=7)) == []


async def test_it_is_known_since_when_the_first_delivery_in_a_state_is_due(store: Store) -> None:
    issue = await freeze_for(store, 2)
    assert await store.oversight.oldest_due(issue, DeliveryState.QUEUED) == DUE
    assert await store.oversight.oldest_due(issue, DEFERRED) is None
    await bring(store, issue, DEFERRED, SENT)
    assert await store.oversight.oldest_due(issue, DeliveryState.QUEUED) is None
    assert await store.oversight.oldest_due(issue, DEFERRED) == DUE


async def test_the_days_for_which_a_source_was_asked_are_known(store: Store) -> None:
    await record(store, paper(1))
    await store.library.attempted(SOURCE, DAY - timedelta(days=1), now=NOW, settled=False, error="down")
    assert await store.oversight.tried_days(SOURCE, DAY) == {DAY}
    assert len(await store.oversight.tried_days(SOURCE, DAY - timedelta(days=9))) == 2


async def test_a_ledger_that_is_open_is_up_to_date(store: Store) -> None:
    assert await store.is_up_to_date()
