"""One paper is one listing, however its pages name it, and in whatever order they come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.core.evidence import Evidence, proof
from newsletter.core.listing import Candidate, Listing
from newsletter.ports import Store
from newsletter.store import open_store
from tests import examples
from tests.store.samples import DAY, HOUR, NOW, SOURCE, draft, due, in_issue, keys, page, paper, record

SAVED = "saved_page:pages/*.txt"
TITLE = "On the Nature of Number 1"


async def everything(store: Store) -> list[Candidate]:
    return await store.library.candidates([SOURCE, SAVED], since=date.min, until=date.max)


async def test_a_listing_known_by_title_is_the_same_when_its_arxiv_id_is_learnt(store: Store) -> None:
    await record(store, Listing(title=TITLE), source=SAVED)
    [before] = await everything(store)

    recorded = await record(store, paper(1), at=NOW + HOUR)

    [after] = await everything(store)
    assert recorded.new == 0
    assert after.key == before.key
    assert str(after.listing.id) == "arxiv:2603.00001"
    assert [sighting.source for sighting in after.sightings] == [SAVED, SOURCE]


async def test_a_title_alone_is_recognised_in_any_disguise(store: Store) -> None:
    await record(store, paper(1))

    recorded = await record(store, Listing(title="  On the NATURE of “Number 1” "), source=SAVED)

    assert recorded.new == 0
    assert len(await everything(store)) == 1


async def test_an_id_that_only_a_link_told_is_not_lost_when_a_newer_link_takes_its_place(store: Store) -> None:
    await record(store, Listing(title=TITLE, url="https://arxiv.org/abs/2603.00001v2"), source=SAVED)
    await record(store, Listing(title=TITLE, url="https://example.org/post"), at=NOW + HOUR)

    [candidate] = await everything(store)
    assert str(candidate.listing.id) == "arxiv:2603.00001"
    assert candidate.listing.url == "https://example.org/post"


async def test_papers_of_one_title_with_different_ids_stay_apart(store: Store) -> None:
    await record(store, paper(1, title="Attention"), paper(2, title="Attention"))

    recorded = await record(store, Listing(title="Attention"), source=SAVED)

    assert (recorded.new, recorded.merged) == (0, ())
    assert [len(candidate.sightings) for candidate in await everything(store)] == [2, 1]


async def test_pages_of_a_journal_tell_its_editorials_apart(store: Store) -> None:
    first = [Listing(title="Editorial", url=f"https://lab.example/e/{n}") for n in (1, 2, 3)]

    recorded = await record(store, *first)
    again = await record(store, *first, at=NOW + HOUR)
    later = await record(store, Listing(title="Editorial", url="https://lab.example/e/4"), at=NOW + 2 * HOUR)

    assert (recorded.new, again.new, later.new) == (3, 0, 1)


async def test_entries_at_one_link_are_told_apart_by_what_the_feed_calls_them(store: Store) -> None:
    listings = [Listing(title=f"Paper {n}", url="https://lab.example/upcoming/") for n in (1, 2, 3)]
    entries = [replace(one, guid=f"LAB-{n}") for n, one in enumerate(page(listings), start=1)]

    recorded = await store.library.record(SOURCE, DAY, entries[:2], now=NOW)
    again = await store.library.record(SOURCE, DAY, entries, now=NOW + HOUR)

    assert (recorded.new, again.new, again.listings) == (2, 1, 3)


async def test_what_is_left_out_as_a_repeat_is_named_with_the_reason(store: Store) -> None:
    await record(store, paper(1, url="https://lab.example/one"))

    recorded = await record(store, paper(1), Listing(title="An Earlier Title", url="https://lab.example/one"))

    assert [(one.what, one.reason) for one in recorded.repeats] == [
        ("An Earlier Title https://lab.example/one", f"same link as “{TITLE}”")
    ]


async def test_listings_that_turn_out_to_be_one_are_merged_with_their_history(store: Store) -> None:
    renamed = Listing(title="An Earlier Title", url="https://example.org/one")
    await record(store, renamed, source=SAVED)
    await record(store, paper(1), at=NOW + HOUR)
    early, late = await everything(store)
    await store.issues.freeze(draft(in_issue(late.key)), "Papers", due(), now=NOW)

    recorded = await record(store, paper(1, url="https://example.org/one"), at=NOW + 2 * HOUR, upvotes=1)

    [only] = await everything(store)
    assert only.key == early.key
    assert str(only.listing.id) == "arxiv:2603.00001"
    assert [sighting.seen_at for sighting in only.sightings] == [NOW, NOW + HOUR, NOW + 2 * HOUR]
    assert (recorded.listings, recorded.new) == (1, 0)
    assert recorded.merged == (
        f"listing {late.key} (arxiv:2603.00001) is listing {early.key} (arxiv:2603.00001): {TITLE}",
    )
    assert await store.issues.competed("daily", [early.key, late.key]) == {early.key: True}


async def test_an_issue_that_holds_both_of_two_merged_listings_stays_as_it_was_sent(store: Store) -> None:
    await record(store, Listing(title="An Earlier Title", url="https://example.org/one"), paper(1))
    first, second = sorted((await keys(store)).values())
    sent, _ = await store.issues.freeze(draft(in_issue(first), in_issue(second, 2)), "Papers", due(), now=NOW)

    await record(store, paper(1, url="https://example.org/one"), at=NOW + HOUR)

    found = await store.issues.find("daily", DAY)
    assert found is not None
    assert [one.listing for one in found.listings] == [one.listing for one in sent.listings]
    assert [one.key for one in found.listings] == [first, first]


async def test_the_number_of_a_listing_that_is_gone_is_not_given_again(store: Store) -> None:
    await record(store, Listing(title="An Earlier Title", url="https://example.org/one"), paper(1))
    await record(store, paper(1, url="https://example.org/one"))
    used = {1, 2}

    await record(store, paper(2))

    [new] = [key for title, key in (await keys(store)).items() if title.endswith("2")]
    assert new not in used


async def test_a_page_that_was_merged_adds_nothing_when_it_is_recorded_again(store: Store) -> None:
    bridging = (
        Listing(title="Number 1", url="https://example.org/one"),
        paper(1),
        paper(1, title="Number 1", url="https://example.org/one"),
    )
    first = await record(store, *bridging)
    before = await everything(store)

    again = await record(store, *bridging)

    assert (first.listings, first.new, first.merged) == (1, 1, ())
    assert (again.listings, again.new) == (1, 0)
    assert await everything(store) == before


def views(number: int) -> st.SearchStrategy[Listing]:
    """Return the ways in which pages may show one paper: always its title, and any of its ids."""
    return st.builds(
        Listing,
        title=st.sampled_from(
            [
                f"On What Makes Two Papers One, Number {number}",
                f"ON  what makes two papers one: number {number}!",
                f"On What Makes Two Päpers One, Numbér {number}",
            ]
        ),
        arxiv_id=st.sampled_from(["", f"2603.{number:05}", f"arXiv:2603.{number:05}v3"]),
        doi=st.sampled_from(["", f"10.1000/{number}", f"https://doi.org/10.1000/{number}"]),
        url=st.sampled_from(
            ["", f"https://example.org/{number}", f"http://www.example.org/{number}/?utm_source=x"]
        ),
    )


@st.composite
def readings(draw: st.DrawFn) -> tuple[list[list[Listing]], list[list[Listing]]]:
    """Return pages, and the same pages in another order and some of them more than once."""
    pages = draw(st.lists(st.lists(st.integers(1, 4).flatmap(views), max_size=6), min_size=1, max_size=4))
    return pages, draw(st.permutations(pages + draw(st.lists(st.sampled_from(pages), max_size=2))))


async def recorded_identities(pages: list[list[Listing]]) -> list[tuple[str, ...]]:
    """Record pages, and return what each listing is known by, as its own record tells."""
    store = await open_store("sqlite://")
    try:
        for hours, listings in enumerate(pages):
            await store.library.record(SOURCE, DAY, page(listings, at=NOW + hours * HOUR), now=NOW)
        found = [candidate.listing for candidate in await everything(store)]
    finally:
        await store.close()
    apart = [(one, other) for one in found for other in found if one is not other]
    assert not any(proof(*(Evidence.of(listing, listing.identities) for listing in pair)) for pair in apart)
    return sorted(tuple(map(str, listing.identities)) for listing in found)


@settings(max_examples=examples.slow(25))
@given(readings())
def test_the_order_of_pages_and_repeating_them_make_no_difference(
    pages: tuple[list[list[Listing]], list[list[Listing]]],
) -> None:
    in_order, shuffled = pages

    assert asyncio.run(recorded_identities(in_order)) == asyncio.run(recorded_identities(shuffled))


@given(st.lists(st.integers(1, 4).flatmap(views), max_size=12))
def test_every_paper_is_one_listing(listings: list[Listing]) -> None:
    numbers = {listing.title.rstrip("!")[-1] for listing in listings}

    assert len(asyncio.run(recorded_identities([listings]))) == len(numbers)
