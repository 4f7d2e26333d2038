"""What readers said of papers: the last word counts, it follows papers, and issues are chosen by it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from newsletter.core.delivery import Planned
from newsletter.core.likeness import Example
from newsletter.core.listing import Listing
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Store
from tests.store.conftest import Opener
from tests.store.samples import DAY, HOUR, NOW, draft, due, in_issue, join, key_of, keys, paper, record, subscriber

SAVED = "saved_page:pages/*.txt"


async def reader(store: Store, number: int = 1) -> int:
    """Add a subscriber, and return their key."""
    await join(store, subscriber(number))
    return await key_of(store, "daily", f"reader{number}@example.org")


async def papers(store: Store, count: int) -> list[int]:
    """Record papers, and return their keys in order."""
    await record(store, *(paper(number) for number in range(1, count + 1)))
    found = await keys(store)
    return [found[paper(number).title] for number in range(1, count + 1)]


async def likes(store: Store, number: int = 1) -> dict[int | str, bool]:
    opinions = await store.feedback.of_address("daily", f"reader{number}@example.org")
    return {one.example.key: one.liked for one in opinions}


async def test_the_last_word_counts_however_often_it_is_said(store: Store) -> None:
    [one, other], who = await papers(store, 2), await reader(store)
    assert await store.feedback.said(who, one) is None
    for liked in (True, True, False, False):
        await store.feedback.say(who, one, liked=liked, now=NOW)
        assert await store.feedback.said(who, one) is liked
    await store.feedback.say(who, other, liked=True, now=NOW + HOUR)
    assert list((await likes(store)).items()) == [(other, True), (one, False)]


async def test_it_can_be_taken_back_more_than_once(store: Store) -> None:
    [one], who = await papers(store, 1), await reader(store)
    await store.feedback.say(who, one, liked=True, now=NOW)
    for _ in range(2):
        await store.feedback.take_back(who, one)
        assert await store.feedback.said(who, one) is None
    assert await likes(store) == {}


async def test_each_reader_speaks_for_themselves(store: Store) -> None:
    [one], first, second = await papers(store, 1), await reader(store, 1), await reader(store, 2)
    await store.feedback.say(first, one, liked=True, now=NOW)
    await store.feedback.say(second, one, liked=False, now=NOW)
    assert (await likes(store, 1), await likes(store, 2)) == ({one: True}, {one: False})
    assert await store.feedback.of_address("daily", "nobody@example.org") == ()
    assert await store.feedback.of_address("weekly", "reader1@example.org") == ()


async def test_what_was_said_at_once_by_two_processes_is_one_of_both(opened: Opener) -> None:
    stores = [await opened() for _ in range(2)]
    [one], who = await papers(stores[0], 1), await reader(stores[0])
    await asyncio.gather(*(store.feedback.say(who, one, liked=True, now=NOW) for store in stores * 3))
    assert await likes(stores[1]) == {one: True}


async def test_only_the_newest_of_what_a_reader_said_is_kept_and_counted(store: Store) -> None:
    listings, who, other = await papers(store, 103), await reader(store, 1), await reader(store, 2)
    await store.feedback.say(other, listings[0], liked=True, now=NOW)
    for place, key in enumerate(listings):
        await store.feedback.say(who, key, liked=True, now=NOW + timedelta(minutes=place))
    assert [await store.feedback.said(who, key) for key in listings[:4]] == [None, None, None, True]
    assert list(await likes(store)) == listings[:-31:-1]
    assert await likes(store, 2) == {listings[0]: True}


async def merged(store: Store, who: int, *, first: bool | None, second: bool | None) -> tuple[int, int]:
    """Let a reader speak of two listings, the second later, and let these turn out to be one; return the keys."""
    await record(store, Listing(title="On Fish", url="https://lab.example/fish"))
    await record(store, Listing(title="A Study of Fish", arxiv_id="2603.00001"), at=NOW + HOUR)
    found = await keys(store)
    pair = found["On Fish"], found["A Study of Fish"]
    for key, liked, at in zip(pair, (first, second), (NOW, NOW + HOUR), strict=True):
        if liked is not None:
            await store.feedback.say(who, key, liked=liked, now=at)
    both = Listing(title="A Study of Fish", arxiv_id="2603.00001", url="https://lab.example/fish")
    recorded = await record(store, both, at=NOW + 2 * HOUR)
    assert len(recorded.merged) == 1
    return pair


@pytest.mark.parametrize(
    ("first", "second", "after"),
    [(True, None, True), (None, False, False), (True, False, False), (False, True, True), (None, None, None)],
)
async def test_it_follows_where_listings_turn_out_to_be_one_and_what_was_said_last_counts(
    store: Store, *, first: bool | None, second: bool | None, after: bool | None
) -> None:
    who = await reader(store)
    pair = await merged(store, who, first=first, second=second)
    assert [await store.feedback.said(who, key) for key in pair] == [after, after]
    assert list((await likes(store)).values()) == ([] if after is None else [after])


async def test_a_mail_that_names_a_merged_listing_still_finds_it(store: Store) -> None:
    who = await reader(store)
    one, other = await merged(store, who, first=None, second=None)
    for key, liked in ((one, True), (other, False)):
        await store.feedback.say(who, key, liked=liked, now=NOW)
        assert await store.feedback.said(who, one) is await store.feedback.said(who, other) is liked
    await store.feedback.take_back(who, one)
    assert await likes(store) == {}


async def test_issues_are_chosen_by_what_each_reader_said(store: Store) -> None:
    [one, other], who = await papers(store, 2), await reader(store, 1)
    await reader(store, 2)
    await store.feedback.say(who, one, liked=True, now=NOW)
    await store.feedback.say(who, other, liked=False, now=NOW + HOUR)
    seen: dict[str, list[tuple[Example, bool]]] = {}

    def plan(subscriber: Subscriber, _: frozenset[int]) -> Planned:
        seen[subscriber.email] = [(example, liked) for example, liked in subscriber.opinions]
        return Planned(due_at=NOW)

    await store.issues.freeze(draft(in_issue(one)), "Papers", plan, now=NOW)
    assert seen == {
        "reader1@example.org": [(Example.of(other, paper(2)), False), (Example.of(one, paper(1)), True)],
        "reader2@example.org": [],
    }
    assert seen["reader1@example.org"][0][0].title == paper(2).title
    assert seen["reader1@example.org"][0][0].words["number"] == 2  # it stands in the title


async def test_a_listing_is_found_in_the_newest_issue_that_has_it(store: Store) -> None:
    [one, other] = await papers(store, 2)
    await store.issues.freeze(draft(in_issue(one)), "Papers", due(), now=NOW)
    tomorrow = draft(in_issue(other, 1), in_issue(one, 2), day=DAY + timedelta(days=1), list_name="daily.weekly")
    await store.issues.freeze(tomorrow, "Papers", due(), now=NOW)

    newest = await store.issues.listing(("daily", "daily.weekly"), one)
    assert newest is not None
    assert (newest.key, newest.rank) == (one, 2)
    first = await store.issues.listing(("daily",), one)
    assert first is not None
    assert first.rank == 1
    assert await store.issues.listing(("daily",), other) is None
    assert await store.issues.listing(("daily", "daily.weekly"), one, day=DAY - timedelta(days=1)) is None
    assert await store.issues.listing(("daily",), 4711) is None


async def test_a_listing_is_found_by_the_key_that_it_had_before_it_was_merged(store: Store) -> None:
    await record(store, Listing(title="On Fish", url="https://lab.example/fish"))
    await record(store, Listing(title="A Study of Fish", arxiv_id="2603.00001"), at=NOW + HOUR)
    pair = list((await keys(store)).values())
    await store.issues.freeze(draft(*(in_issue(key, rank) for rank, key in enumerate(pair))), "P", due(), now=NOW)
    both = Listing(title="A Study of Fish", arxiv_id="2603.00001", url="https://lab.example/fish")
    await record(store, both, at=NOW + 2 * HOUR)

    found = [await store.issues.listing(("daily",), key) for key in pair]
    assert found[0] == found[1] is not None
