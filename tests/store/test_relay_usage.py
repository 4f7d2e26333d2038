from __future__ import annotations

import asyncio

from newsletter.core.quotas import DAY, Quota
from newsletter.ports import Store
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW

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


async def test_a_warm_up_begins_with_the_first_mail_that_is_counted_by_it(store: Store) -> None:
    usage, warming = store.relay_usage, Quota(warm_up=5, warm_up_days=1)
    await usage.take("relay", QUOTA, 1, now=NOW - 30 * DAY)
    assert (await usage.take("relay", warming, 100, now=NOW)).mails == 5
    assert (await usage.take("relay", warming, 100, now=NOW + DAY + HOUR)).mails == 10
