"""Who changes between the editions of a list misses nothing of what came out meanwhile, in each engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from newsletter.core.newsletter_list import Cadence
from newsletter.core.quotas import Quota
from newsletter.ports import Store
from tests.backtest.recorded import MONDAY, TUESDAY
from tests.editions.desk import LIST, Desk


async def test_what_came_out_before_a_file_said_daily_is_noted_as_missed(tmp_path: Path, store: Store) -> None:
    desk = Desk(tmp_path, store, list_=replace(LIST, max_listings=60))
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    desk.subscribe("bob")
    for day in (MONDAY, TUESDAY):
        await desk.run(day)
    issue = await store.issues.latest("daily")
    assert issue
    keys = {one.key for one in issue.listings}
    desk.subscribe("bob", interest="proofs")
    await desk.run(TUESDAY, hour=9)
    assert await store.issues.missed("daily", keys) == frozenset()  # nobody changed the edition
    desk.subscribe("ann")
    await desk.run(TUESDAY + timedelta(days=1))
    assert await store.issues.missed("daily", keys) == keys
    assert set(desk.papers("ann")) == set(desk.papers("bob"))


async def test_room_in_a_quota_is_looked_up_without_counting(store: Store) -> None:
    now, quota = Desk.now, Quota(per_hour=3, warm_up=2)
    assert (await store.relay_usage.room("relay", quota, now=now)).left == 2
    assert (await store.relay_usage.take("relay", quota, 2, now=now)).mails == 2
    assert (await store.relay_usage.room("relay", quota, now=now)).left == 0
    assert (await store.relay_usage.room("relay", Quota(per_hour=3), now=now)).left == 1


async def test_a_list_waits_since_the_first_day_that_led_to_no_issue(store: Store) -> None:
    now, slots = Desk.now, store.slots
    await slots.first_seen("daily", now=now)
    assert await slots.waits_since("daily") is None
    await slots.note_in_vain("daily", TUESDAY + timedelta(days=3), now=now)
    assert await slots.waits_since("daily") == now.date()
    await slots.note_in_vain("other", MONDAY - timedelta(days=9), now=now)
    assert await slots.waits_since("other") == MONDAY - timedelta(days=9)
