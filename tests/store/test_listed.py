from __future__ import annotations

from datetime import timedelta

from newsletter.core.listing import Listing
from newsletter.ports import Store
from tests.store.samples import DAY, HOUR, NOW, SOURCE, keys, paper, record

NEXT = DAY + timedelta(days=1)


async def test_a_day_shows_each_paper_of_the_sources_once_with_its_newest_counts(store: Store) -> None:
    await record(store, paper(1), paper(2), upvotes=97, comments=1, stars=None)
    await record(store, paper(1), paper(2), upvotes=147, comments=5, stars=80, at=NOW + HOUR)
    await record(store, paper(1), source="arxiv:cs.CL", at=NOW + 2 * HOUR)
    await record(store, paper(3), source="elsewhere")

    shown = await store.listed.on_day([SOURCE, "arxiv:cs.CL"], DAY)

    assert [one.listing.title for one in shown] == [paper(1).title, paper(2).title]
    assert {(one.upvotes, one.comments, one.stars) for one in shown} == {(147, 5, 80)}
    assert shown[0].sources == ("arxiv:cs.CL", SOURCE)
    assert (shown[0].first_listed_on, shown[0].first_seen_at) == (DAY, NOW)


async def test_points_on_hacker_news_are_no_upvotes(store: Store) -> None:
    await record(store, paper(1), source="hackernews", upvotes=400)

    [shown] = await store.listed.on_day(["hackernews"], DAY)

    assert shown.upvotes is None


async def test_a_paper_that_was_listed_again_keeps_its_first_day(store: Store) -> None:
    await record(store, paper(1), upvotes=3)
    await record(store, paper(1), paper(2), day=NEXT, upvotes=9, at=NOW + 24 * HOUR)

    shown = await store.listed.on_day([SOURCE], NEXT)

    assert [one.first_listed_on for one in shown] == [DAY, NEXT]
    assert await store.listed.days([SOURCE], DAY, NEXT) == {DAY: 1, NEXT: 2}
    assert await store.listed.days([SOURCE], NEXT, NEXT) == {NEXT: 2}
    assert await store.listed.days(["elsewhere"], DAY, NEXT) == {}


async def test_an_empty_store_shows_nothing(store: Store) -> None:
    assert await store.listed.on_day([SOURCE], DAY) == []
    assert await store.listed.by_keys([1]) == {}
    assert await store.listed.by_keys([]) == {}
    assert await store.listed.version() == await store.listed.version()


async def test_the_number_of_a_merged_listing_leads_to_the_one_that_is_left(store: Store) -> None:
    await record(store, Listing(title="An Earlier Title", url="https://example.org/one"), source="feed")
    await record(store, paper(1), at=NOW + HOUR)
    early, late = sorted((await keys(store, "feed", SOURCE)).values())
    await record(store, paper(1, url="https://example.org/one"), at=NOW + 2 * HOUR)

    found = await store.listed.by_keys([early, late, 99])

    assert {asked: one.key for asked, one in found.items()} == {early: early, late: early}


async def test_the_version_changes_with_each_page_that_is_read(store: Store) -> None:
    versions = [await store.listed.version()]
    await record(store, paper(1), upvotes=3)
    versions.append(await store.listed.version())
    await record(store, paper(1, title="On the Nature of Number 1, revised"), source="feed")  # at the same moment
    versions.append(await store.listed.version())
    await record(store, paper(1), upvotes=3, at=NOW + HOUR)
    versions.append(await store.listed.version())

    assert len(set(versions)) == len(versions)
    assert versions[-1] == await store.listed.version()
