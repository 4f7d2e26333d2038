from __future__ import annotations

import asyncio

from newsletter.core.delivery import DeliveryState
from newsletter.core.quotas import DAY, Quota
from newsletter.ports import Store
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW, attempt, frozen

QUOTA = Quota(per_hour=10)


async def test_many_who_take_at_once_never_get_more_than_there_is(store: Store, opened: Opener) -> None:
    other = await opened()
    takes = [one.relay_usage.take("relay", QUOTA, 3, now=NOW) for one in (store, other) for _ in range(4)]
    granted = [one.mails for one in await asyncio.gather(*takes)]
    assert sorted(granted) == [0, 0, 0, 0, 1, 3, 3, 3]
    assert (await other.relay_usage.take("relay of another account", QUOTA, 3, now=NOW)).mails == 3


async def test_what_is_given_back_may_be_taken_again_and_what_is_old_counts_no_more(store: Store) -> None:
    usage = store.relay_usage
    first = await usage.take("relay", QUOTA, 10, now=NOW)
    await usage.give_back("relay", first.slot, 4)
    assert (await usage.take("relay", QUOTA, 10, now=NOW)).mails == 4
    full = await usage.take("relay", QUOTA, 10, now=NOW)
    assert (full.mails, full.room.opens_at) == (0, first.slot + HOUR * 65 / 60)
    assert (await usage.take("relay", QUOTA, 10, now=NOW + 2 * DAY)).mails == 10


async def test_issues_that_a_relay_was_handed_before_it_had_a_limit_count_for_its_first_one(store: Store) -> None:
    issue = await frozen(store, readers=5)
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=issue.key, now=NOW, limit=5)
        for one, ago in zip(claimed, (1, 10, 23, 24, 26), strict=True):
            await attempt(store, one, DeliveryState.SENT, at=NOW - HOUR * ago)
    usage, limits = store.relay_usage, Quota(per_hour=5, per_day=9)
    assert (await usage.take("relay:25 5f3c", limits, 99, now=NOW)).mails == 4  # one of an hour ago counts still
    assert (await usage.take("relay:25 5f3c", limits, 99, now=NOW + HOUR * 2)).mails == 3
    assert (await usage.take("relay:26", limits, 99, now=NOW)).mails == 5


async def test_a_warm_up_begins_with_the_first_mail_that_is_counted_by_it(store: Store) -> None:
    usage, warming = store.relay_usage, Quota(warm_up=5, warm_up_days=1)
    await usage.take("relay", QUOTA, 1, now=NOW - 30 * DAY)
    assert (await usage.take("relay", warming, 100, now=NOW)).mails == 5
    assert (await usage.take("relay", warming, 100, now=NOW + DAY + HOUR)).mails == 10
