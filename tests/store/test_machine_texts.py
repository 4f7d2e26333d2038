"""What models wrote of papers, in every store: asked for once, counted by day, moved with their papers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineTextKind, Recipe
from newsletter.ports import MachineText, ModelUsage, Store
from tests.store.conftest import Opener
from tests.store.samples import HOUR, NOW, keys, paper, record

RECIPE = Recipe(kind=MachineTextKind.SUMMARY, language="de", prompt="0123456789abcdef", model="llama3.2:3b")
UNTIL = NOW + timedelta(seconds=40)
TEXT = MachineText(text="Es untersucht Graphen.")
MANY = 1000


async def papers(store: Store, number: int = 5) -> list[int]:
    await record(store, *(paper(each) for each in range(1, number + 1)))
    return sorted((await keys(store)).values())


async def reserved(
    store: Store, wanted: list[int], recipe: Recipe = RECIPE, *, most: int = MANY, now: datetime = NOW
) -> list[int]:
    until = now + (UNTIL - NOW)
    got = await store.machine_texts.reserve(wanted, recipe, most_a_day=most, now=now, until=until)
    return list(got.papers)


async def keep(
    store: Store, key: int, text: MachineText = TEXT, recipe: Recipe = RECIPE, *, now: datetime = NOW
) -> None:
    await store.machine_texts.keep(key, recipe, text, tokens_in=300, tokens_out=40, now=now)


async def requests(store: Store, since: datetime = NOW) -> int:
    usage = await store.machine_texts.usage(since=since)
    return sum(one.requests for one in usage.values())


async def test_a_text_is_kept_and_read_as_it_was_by_its_recipe_alone(store: Store) -> None:
    one, two, three, *_ = await papers(store)
    refusal = MachineText(refusal="the number 42 is not in the abstract")
    await reserved(store, [one, two])
    await keep(store, one)
    await keep(store, two, refusal)

    assert await store.machine_texts.known([one, two, three], RECIPE) == {one: TEXT, two: refusal}
    assert await store.machine_texts.known([], RECIPE) == {}
    for other in (
        replace(RECIPE, kind=MachineTextKind.TITLE),
        replace(RECIPE, language="de-AT"),
        replace(RECIPE, prompt="another"),
        replace(RECIPE, model="gpt-5-mini"),
    ):
        assert await store.machine_texts.known([one, two], other) == {}


async def test_what_is_known_or_reserved_is_not_asked_for_again(store: Store) -> None:
    one, two, three, *_ = await papers(store)
    await keep(store, one)

    assert await reserved(store, [three, one, two, three]) == [three, two]
    assert await reserved(store, [one, two, three]) == []
    assert await store.machine_texts.known([two, three], RECIPE) == {}
    assert await reserved(store, [two], replace(RECIPE, model="another")) == [two]


async def test_a_reservation_of_which_nothing_came_ends_with_its_time(store: Store) -> None:
    one, *_ = await papers(store)
    await reserved(store, [one])
    assert await reserved(store, [one], now=UNTIL - timedelta(microseconds=1)) == []
    assert await reserved(store, [one], now=UNTIL) == [one]
    assert await reserved(store, [one], now=UNTIL + timedelta(seconds=1)) == []
    assert await requests(store) == 2


async def test_what_comes_late_is_kept_all_the_same(store: Store) -> None:
    one, *_ = await papers(store)
    await reserved(store, [one])
    await reserved(store, [one], now=UNTIL)
    await keep(store, one, now=UNTIL)
    await store.machine_texts.give_back([one], RECIPE, unasked=0, now=UNTIL)
    assert await store.machine_texts.known([one], RECIPE) == {one: TEXT}


async def test_what_is_given_back_may_be_asked_for_and_counts_only_if_it_was_asked(store: Store) -> None:
    one, two, *_ = await papers(store)
    await reserved(store, [one, two])
    await store.machine_texts.give_back([one], RECIPE, unasked=1, now=NOW)
    await store.machine_texts.give_back([two], RECIPE, unasked=0, now=NOW)
    await store.machine_texts.give_back([], RECIPE, unasked=0, now=NOW)
    assert await requests(store) == 1
    assert await reserved(store, [one, two]) == [one, two]
    assert await requests(store) == 3

    await store.machine_texts.give_back([one], RECIPE, unasked=99, now=NOW)
    assert await requests(store) == 0


async def test_the_requests_of_a_day_are_limited_over_all_models_and_end_at_midnight_utc(store: Store) -> None:
    wanted = await papers(store)
    late = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    got = await store.machine_texts.reserve(wanted, RECIPE, most_a_day=3, now=late, until=late + HOUR)
    assert (list(got.papers), got.is_spent) == (wanted[:3], True)
    other = replace(RECIPE, model="another")
    got = await store.machine_texts.reserve(wanted, other, most_a_day=3, now=late, until=late + HOUR)
    assert (list(got.papers), got.is_spent) == ([], True)

    # Two hours east of UTC it is the next day already; that is not what counts.
    east = late.astimezone(tz=None)
    got = await store.machine_texts.reserve(wanted, other, most_a_day=3, now=east, until=late + HOUR)
    assert got.is_spent

    midnight = late + timedelta(seconds=1)
    got = await store.machine_texts.reserve(wanted, RECIPE, most_a_day=3, now=midnight, until=midnight + HOUR)
    assert (list(got.papers), got.is_spent) == (wanted[3:], False)
    got = await store.machine_texts.reserve(wanted, RECIPE, most_a_day=0, now=midnight + HOUR, until=late)
    assert (list(got.papers), got.is_spent) == ([], True)


async def test_nothing_is_spent_where_nothing_is_wanted(store: Store) -> None:
    one, *_ = await papers(store)
    await keep(store, one)
    for wanted in ([], [one]):
        got = await store.machine_texts.reserve(wanted, RECIPE, most_a_day=0, now=NOW, until=UNTIL)
        assert (list(got.papers), got.is_spent) == ([], False)


async def test_usage_is_told_by_model_and_from_a_day_on(store: Store) -> None:
    one, two, *_ = await papers(store)
    other = replace(RECIPE, model="another")
    await reserved(store, [one, two])
    await keep(store, one)
    await keep(store, two, MachineText(refusal="it is empty"))
    await reserved(store, [one], other, now=NOW + timedelta(days=1))
    await keep(store, one, recipe=other, now=NOW + timedelta(days=1))

    first = ModelUsage(requests=2, refused=1, tokens_in=600, tokens_out=80)
    second = ModelUsage(requests=1, tokens_in=300, tokens_out=40)
    assert await store.machine_texts.usage(since=NOW) == {RECIPE.model: first, "another": second}
    assert await store.machine_texts.usage(since=NOW + timedelta(days=1)) == {"another": second}
    assert await store.machine_texts.usage(since=NOW + timedelta(days=2)) == {}


async def test_processes_at_once_share_papers_and_the_limit(opened: Opener) -> None:
    stores = [await opened() for _ in range(3)]
    wanted = await papers(stores[0], 30)

    async def one_by_one(store: Store) -> list[int]:
        return [key for each in wanted for key in await reserved(store, [each], most=20)]

    got = await asyncio.gather(*map(one_by_one, stores))
    every = [key for some in got for key in some]
    assert len(every) == len(set(every)) == 20
    assert await requests(stores[0]) == 20


async def merged(store: Store) -> tuple[int, int]:
    """Let two listings be one; return the key that is left and the one that is gone."""
    before = set((await keys(store)).values())
    await record(store, paper(1, url="https://example.org/one"), at=NOW + HOUR)
    [left] = (await keys(store)).values()
    [gone] = before - {left}
    return left, gone


async def two_that_are_one(store: Store) -> list[int]:
    await record(store, Listing(title="An Earlier Title", url="https://example.org/one"), paper(1))
    return sorted((await keys(store)).values())


async def test_texts_follow_when_listings_are_merged(store: Store) -> None:
    first, second = await two_that_are_one(store)
    title = replace(RECIPE, kind=MachineTextKind.TITLE)
    await keep(store, first)
    await keep(store, second, recipe=title)

    left, gone = await merged(store)
    assert await store.machine_texts.known([left, gone], RECIPE) == {left: TEXT, gone: TEXT}
    assert await store.machine_texts.known([left], title) == {left: TEXT}
    assert await reserved(store, [left, gone]) == []


async def test_of_two_texts_of_merged_listings_the_later_one_stays(store: Store) -> None:
    first, second = await two_that_are_one(store)
    later = MachineText(text="Später.")
    title, other = replace(RECIPE, kind=MachineTextKind.TITLE), replace(RECIPE, model="another")
    await keep(store, first)
    await keep(store, second, later, now=NOW + timedelta(minutes=1))
    await keep(store, first, later, title, now=NOW + timedelta(minutes=1))
    await keep(store, second, recipe=title)
    await keep(store, first, recipe=other)
    await reserved(store, [second], other, now=NOW + HOUR)  # what is only asked for gives way

    left, _ = await merged(store)
    assert await store.machine_texts.known([left], RECIPE) == {left: later}
    assert await store.machine_texts.known([left], title) == {left: later}
    assert await store.machine_texts.known([left], other) == {left: TEXT}


async def test_a_text_that_was_asked_for_before_its_listing_was_merged_is_kept(store: Store) -> None:
    wanted = await two_that_are_one(store)
    await reserved(store, wanted)
    left, gone = await merged(store)
    assert await reserved(store, [left, gone]) == []  # one of the two reservations is left

    await keep(store, gone)
    assert await store.machine_texts.known([left, gone], RECIPE) == {left: TEXT, gone: TEXT}
    await store.machine_texts.give_back(wanted, RECIPE, unasked=0, now=NOW)
    assert await store.machine_texts.known([left], RECIPE) == {left: TEXT}


async def test_a_paper_named_by_both_its_numbers_is_asked_for_once(store: Store) -> None:
    await two_that_are_one(store)
    left, gone = await merged(store)
    assert await reserved(store, [gone, left]) == [gone]
    assert await requests(store) == 1
