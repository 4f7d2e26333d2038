from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from newsletter.core.delivery import DeliveryState, Planned
from newsletter.core.errors import StaleDraftError
from newsletter.core.subscriber import Subscriber, SubscriberStatus
from newsletter.ports import Store
from tests.claiming import claim
from tests.store.conftest import Opener
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
    why,
)


async def test_a_frozen_issue_reads_back_as_it_was_frozen(store: Store) -> None:
    await record(store, paper(1), paper(2))
    one, two = (await keys(store)).values()
    wanted = draft(in_issue(two), in_issue(one, 2))

    issue, created = await store.issues.freeze(wanted, "Papers · 2 March", due(), now=NOW)

    assert created
    assert (issue.number, issue.subject, issue.frozen_at, issue.candidates) == (1, "Papers · 2 March", NOW, 4)
    assert (issue.terms, issue.listings) == (wanted.terms, wanted.listings)
    assert await store.issues.find("daily", DAY) == issue
    assert await store.issues.get(issue.key) == issue
    assert await store.issues.latest("daily") == issue


async def test_an_issue_keeps_its_listings_as_they_were(store: Store) -> None:
    await record(store, paper(1, abstract="Before."))
    [key] = (await keys(store)).values()
    await store.issues.freeze(draft(in_issue(key, 1, paper(1, abstract="Before."))), "Papers", due(), now=NOW)

    await record(store, paper(1, abstract="After."), at=NOW + HOUR)

    issue = await store.issues.find("daily", DAY)
    assert issue is not None
    assert issue.listings[0].listing.abstract == "Before."


async def test_there_is_no_issue_where_none_was_frozen(store: Store) -> None:
    await frozen(store)

    assert await store.issues.find("daily", DAY + timedelta(days=1)) is None
    assert await store.issues.find("weekly", DAY) is None
    assert await store.issues.latest("daily", before=DAY) is None
    assert await store.issues.get(99) is None
    assert await store.issues.last_number("weekly") == 0
    assert await store.issues.competed("weekly", range(9)) == {}
    assert await store.issues.history("weekly") == []


async def test_a_day_has_one_issue_and_each_reader_one_delivery_of_it(store: Store) -> None:
    first = await frozen(store, 2)

    again, created = await store.issues.freeze(draft(number=2), "Another subject", due(), now=NOW + HOUR)

    assert (again, created) == (first, False)
    assert sum((await store.outbox.counts(first.key)).values()) == 2


async def test_the_latest_issue_is_the_newest_by_day_whichever_was_frozen_last(store: Store) -> None:
    newest = await frozen(store, day=DAY + timedelta(days=2))
    older = await frozen(store, day=DAY, number=2)

    assert await store.issues.latest("daily") == newest
    assert await store.issues.latest("daily", before=newest.day) == older
    assert await store.issues.last_number("daily") == 2


async def test_each_list_has_its_own_issues(store: Store) -> None:
    await record(store, paper(1), paper(2))
    one, two = (await keys(store)).values()
    await store.issues.freeze(draft(in_issue(one)), "Daily", due(), now=NOW)
    await store.issues.freeze(draft(in_issue(two), list_name="weekly"), "Weekly", due(), now=NOW)

    assert await store.issues.competed("daily", [one, two]) == {one: True}
    assert await store.issues.competed("weekly", [one, two]) == {two: True}


async def test_a_draft_that_was_held_against_an_older_history_is_stale(store: Store) -> None:
    await frozen(store, 1, day=DAY)

    with pytest.raises(StaleDraftError, match="daily 2026-03-03"):
        await store.issues.freeze(draft(day=DAY + timedelta(days=1), number=1), "Papers", due(), now=NOW)

    assert await store.issues.find("daily", DAY + timedelta(days=1)) is None
    assert len(await store.outbox.records()) == 1


async def test_a_draft_with_a_listing_that_was_merged_into_another_is_stale(store: Store) -> None:
    await join(store, subscriber())

    with pytest.raises(StaleDraftError, match="daily 2026-03-02"):
        await store.issues.freeze(draft(in_issue(7)), "Papers", due(), now=NOW)

    assert await store.issues.find("daily", DAY) is None
    assert await store.outbox.records() == []


async def test_active_subscribers_get_a_queued_delivery_at_their_own_time(store: Store) -> None:
    await join(store, subscriber(1), subscriber(2))
    await join(store, subscriber(3, "weekly"))
    times = {"reader1@example.org": NOW, "reader2@example.org": NOW + 9 * HOUR}

    await store.issues.freeze(draft(), "Papers", lambda reader, _had: Planned(due_at=times[reader.email]), now=NOW)

    records = await store.outbox.records()
    assert {record.email: record.due_at for record in records} == times
    assert {record.state for record in records} == {DeliveryState.QUEUED}


async def test_a_weekly_edition_goes_to_the_subscribers_of_its_daily_list(store: Store) -> None:
    await join(store, subscriber(1), subscriber(2))
    await store.subscribers.suppress("reader2@example.org", list_name="daily", reason="left", now=NOW)

    issue, _ = await store.issues.freeze(draft(list_name="daily.weekly"), "The week", due(), now=NOW)

    assert (issue.list, issue.number) == ("daily.weekly", 1)
    assert await store.issues.last_number("daily") == 0
    assert {record.email: why(record) for record in await store.outbox.records()} == {
        "reader1@example.org": "",
        "reader2@example.org": "suppressed: left",
    }


async def test_the_plan_sees_subscribers_as_they_are(store: Store) -> None:
    reader = subscriber(1, name="Bob Böök", topics=("agents", "vision"), timezone="Asia/Tokyo")
    await join(store, reader)
    seen: list[Subscriber] = []

    def plan(one: Subscriber, had: frozenset[int]) -> Planned:
        seen.append(one)
        return Planned(due_at=NOW)

    await store.issues.freeze(draft(), "Papers", plan, now=NOW)

    assert seen == [reader]


async def test_a_subscriber_whose_plan_names_no_time_gets_a_withdrawn_delivery_with_the_reason(
    store: Store,
) -> None:
    await join(store, subscriber())

    issue, _ = await store.issues.freeze(
        draft(), "Papers", lambda _, _had: Planned(due_at=None, reason="wants a weekly issue"), now=NOW
    )

    [record] = await store.outbox.records()
    assert (record.state, record.reason, record.due_at) == (DeliveryState.WITHDRAWN, "wants a weekly issue", NOW)
    assert await store.outbox.suppressed_count(issue.key) == 0


async def test_who_is_suppressed_gets_a_withdrawn_delivery_and_who_was_removed_gets_none(store: Store) -> None:
    await store.subscribers.suppress("reader3@example.org", list_name=None, reason="550 no such user", now=NOW)
    await store.subscribers.suppress("reader4@example.org", list_name="daily", reason="complained", now=NOW)
    await store.subscribers.suppress("reader5@example.org", list_name="weekly", reason="left", now=NOW)
    await join(store, *(subscriber(number) for number in range(1, 7)))
    await join(store, subscriber(7, status=SubscriberStatus.UNSUBSCRIBED))
    await store.subscribers.suppress("reader2@example.org", list_name="daily", reason="one click", now=NOW)
    await join(store, subscriber(6, status=SubscriberStatus.REMOVED))

    issue, _ = await store.issues.freeze(draft(), "Papers", due(), now=NOW)

    assert {record.email: why(record) for record in await store.outbox.records()} == {
        "reader1@example.org": "",
        "reader2@example.org": "suppressed: one click",
        "reader3@example.org": "suppressed: 550 no such user",
        "reader4@example.org": "suppressed: complained",
        "reader5@example.org": "",
        "reader7@example.org": "suppressed: unsubscribed",
    }
    counts = await store.outbox.counts(issue.key)
    assert (counts[DeliveryState.QUEUED], counts[DeliveryState.WITHDRAWN]) == (2, 4)
    assert await store.outbox.suppressed_count(issue.key) == 4


async def test_a_plan_that_fails_leaves_no_issue_behind(store: Store) -> None:
    await join(store, subscriber(1), subscriber(2))

    def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
        if reader.email.startswith("reader2"):
            raise LookupError(reader.email)
        return Planned(due_at=NOW)

    with pytest.raises(LookupError):
        await store.issues.freeze(draft(), "Papers", plan, now=NOW)

    assert await store.issues.find("daily", DAY) is None
    assert await store.outbox.records() == []


async def test_more_subscribers_than_fit_a_page_are_all_planned_once(store: Store) -> None:
    issue = await frozen(store, 2345)

    assert (await store.outbox.counts(issue.key))[DeliveryState.QUEUED] == 2345


async def test_two_freezes_at_once_make_one_issue(opened: Opener) -> None:
    stores = [await opened() for _ in range(4)]
    await join(stores[0], *(subscriber(number) for number in range(30)))

    made = await asyncio.gather(*(one.issues.freeze(draft(), "Papers", due(), now=NOW) for one in stores))

    assert sorted(created for _, created in made) == [False, False, False, True]
    assert len({issue.key for issue, _ in made}) == 1
    assert len(await stores[0].outbox.records()) == 30


async def test_of_two_freezes_at_once_for_different_days_one_is_stale(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    drafts = [draft(day=DAY + timedelta(days=days)) for days in range(2)]

    made = await asyncio.gather(
        *(one.issues.freeze(each, "Papers", due(), now=NOW) for one, each in zip(stores, drafts, strict=True)),
        return_exceptions=True,
    )

    assert sum(isinstance(one, StaleDraftError) for one in made) == 1
    assert await stores[0].issues.last_number("daily") == 1
    assert len(await stores[0].issues.history()) == 1


async def test_the_history_goes_on_before_a_day(store: Store) -> None:
    for number in range(1, 4):
        await frozen(store, day=DAY + timedelta(days=number), number=number)

    earlier = await store.issues.history("daily", before=DAY + timedelta(days=3), limit=9)

    assert [one.number for one in earlier] == [2, 1]


async def test_the_history_counts_listings_and_deliveries_newest_first(store: Store) -> None:
    await record(store, paper(1))
    [key] = (await keys(store)).values()
    await join(store, subscriber(1), subscriber(2))
    issue, _ = await store.issues.freeze(draft(in_issue(key)), "First", due(), now=NOW)
    async with store.outbox.worker() as worker:
        [claimed] = await claim(store.outbox, worker, now=NOW, limit=1)
        await attempt(store, claimed, DeliveryState.SENT)
    await frozen(store, day=DAY + timedelta(days=1), number=2)
    await frozen(store, list_name="weekly")

    newest, *others = await store.issues.history()
    [last] = await store.issues.history("daily", limit=1)
    first = (await store.issues.history("daily"))[1]

    assert (newest, [one.list for one in others]) == (last, ["weekly", "daily"])
    assert (first.day, first.number, first.subject, first.listings, first.frozen_at) == (DAY, 1, "First", 1, NOW)
    assert {state: count for state, count in first.deliveries.items() if count} == {"queued": 1, "sent": 1}
    assert first.deliveries == await store.outbox.counts(issue.key)


async def test_an_outline_tells_which_issue_it_is_of_a_day_or_the_newest(store: Store) -> None:
    assert await store.issues.outline("daily") is None
    await record(store, paper(1), paper(2))
    one, two = (await keys(store)).values()
    first, _ = await store.issues.freeze(draft(in_issue(one)), "Papers", due(), now=NOW)
    later = draft(in_issue(two), number=2, day=DAY + timedelta(days=1))
    second, _ = await store.issues.freeze(later, "Papers", due(), now=NOW + HOUR)

    for issue, found in (
        (first, await store.issues.outline("daily", DAY)),
        (second, await store.issues.outline("daily", second.day)),
        (second, await store.issues.outline("daily")),
    ):
        assert found is not None
        assert (found.key, found.list, found.day, found.frozen_at, found.masthead) == (
            issue.key,
            issue.list,
            issue.day,
            issue.frozen_at,
            issue.masthead,
        )
    assert await store.issues.outline("daily", DAY - timedelta(days=1)) is None
    assert await store.issues.outline("other") is None
    assert await store.issues.outline("other", DAY) is None


async def test_an_archive_names_the_issues_of_some_lists_and_days_newest_first(store: Store) -> None:
    await record(store, paper(1), paper(2))
    one, two = (await keys(store)).values()
    next_day = DAY + timedelta(days=1)
    await store.issues.freeze(draft(in_issue(one)), "Monday", due(), now=NOW)
    second = draft(in_issue(one), in_issue(two, 2), day=next_day, number=2)
    await store.issues.freeze(second, "Tuesday", due(), now=NOW + HOUR)
    await store.issues.freeze(draft(in_issue(two), list_name="daily.weekly"), "The week", due(), now=NOW + HOUR)

    headings = await store.issues.headings(["daily", "daily.weekly"], since=DAY, until=next_day)

    assert [(one.list, one.day, one.number, one.subject, one.listings) for one in headings] == [
        ("daily", next_day, 2, "Tuesday", 2),
        ("daily.weekly", DAY, 1, "The week", 1),
        ("daily", DAY, 1, "Monday", 1),
    ]
    assert [one.subject for one in await store.issues.headings(["daily"], since=next_day, until=next_day)] == [
        "Tuesday"
    ]
    assert await store.issues.days("daily") == [DAY, next_day]
    assert await store.issues.days("other") == []


async def test_the_version_of_what_is_listed_changes_with_an_issue_of_the_lists_that_are_asked_for(
    store: Store,
) -> None:
    await record(store, paper(1))
    [key] = (await keys(store)).values()
    before = [await store.listed.version(lists) for lists in ((), ["daily"], ["other"])]

    await store.issues.freeze(draft(in_issue(key)), "Monday", due(), now=NOW)

    after = [await store.listed.version(lists) for lists in ((), ["daily"], ["other"])]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False, True]
