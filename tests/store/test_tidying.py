"""Old rows are removed, and no reader gets a paper twice for that."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from newsletter.core.delivery import DeliveryState
from newsletter.core.retention import KeepFor
from newsletter.ports import Store
from tests.store.samples import (
    DAY,
    HOUR,
    NOW,
    attempt,
    draft,
    due,
    frozen,
    in_issue,
    join,
    keys,
    paper,
    record,
    subscriber,
)

DAYS = timedelta(days=1)


async def tidied(store: Store, after: timedelta, **keep: timedelta) -> Mapping[str, int]:
    return await store.tidying.tidy(KeepFor(**keep), now=NOW + after, stopping=lambda: False)


async def sent_to_all_but_one(store: Store, readers: int = 3) -> None:
    """Let an issue go out, of which one delivery stays uncertain."""
    await frozen(store, readers)
    async with store.outbox.worker() as worker:
        claimed = await store.outbox.claim(worker, issue_key=1, now=NOW, limit=readers)
        for one in claimed[1:]:
            await attempt(store, one, DeliveryState.SENT, text="250 thank you")
        await attempt(store, claimed[0], DeliveryState.UNCERTAIN)


async def test_details_of_settled_deliveries_go_and_what_is_open_stays_whole(store: Store) -> None:
    await sent_to_all_but_one(store)
    before = await store.outbox.counts(1)

    assert await tidied(store, 89 * DAYS, delivery_details=90 * DAYS) == {}
    removed = await tidied(store, 95 * DAYS, delivery_details=90 * DAYS)

    assert removed == {"delivery_steps": 4}  # the issue has an uncertain delivery, so its details stay
    assert await store.outbox.counts(1) == before
    assert await store.tidying.tidied_at() == NOW + 95 * DAYS
    [open_one] = await store.outbox.records(states=[DeliveryState.UNCERTAIN])
    assert await store.outbox.times(open_one.key, DeliveryState.UNCERTAIN) == 1

    await store.outbox.record(())
    await store.restored.assume_sent(NOW, now=NOW + 95 * DAYS)
    assert await tidied(store, 190 * DAYS, delivery_details=90 * DAYS) == {
        "delivery_steps": 3,
        "delivery_details": 2,
    }
    assert {one.text for one in await store.outbox.records()} == {""}
    assert await tidied(store, 192 * DAYS, delivery_details=90 * DAYS) == {}


async def test_what_is_asked_to_stop_goes_on_the_next_time(store: Store) -> None:
    await sent_to_all_but_one(store)
    keep = KeepFor(delivery_details=DAYS)

    await store.tidying.tidy(keep, now=NOW + 9 * DAYS, stopping=lambda: True)

    assert await store.tidying.tidied_at() is None


async def test_papers_of_issues_whose_deliveries_are_forgotten_are_known_and_the_number_of_those_sent_stays(
    store: Store,
) -> None:
    await record(store, paper(1), paper(2))
    known = await keys(store)
    first, second = known.values()
    await join(store, subscriber(1), subscriber(2))
    issue, _ = await store.issues.freeze(draft(in_issue(first)), "Papers", due(), now=NOW)
    await store.restored.assume_sent(NOW, now=NOW)

    removed = await tidied(store, 100 * DAYS, deliveries=60 * DAYS)

    assert removed == {"deliveries": 2}
    assert (await store.outbox.counts(issue.key))[DeliveryState.SENT] == 2
    assert await store.tidying.forgotten(["daily"], [first, second]) == {first}
    assert await store.tidying.forgotten(["other"], [first, second]) == frozenset()


async def test_old_sightings_are_thinned_out_and_what_came_back_long_ago_goes(store: Store) -> None:
    for hour in range(30):
        await record(store, paper(1), at=NOW + hour * HOUR, upvotes=hour)

    assert await tidied(store, 20 * DAYS, sightings=30 * DAYS, inbound=365 * DAYS) == {}
    assert await tidied(store, 40 * DAYS, sightings=30 * DAYS, inbound=365 * DAYS) == {"sightings": 27}

    [candidate] = await store.library.candidates(["huggingface"], since=DAY, until=DAY)
    assert [seen.upvotes for seen in candidate.sightings] == [0, 15, 29]
