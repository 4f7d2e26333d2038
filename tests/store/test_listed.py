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


async def test_the_ends_of_what_sources_showed_are_known(store: Store) -> None:
    await record(store, paper(1), at=NOW)
    await record(store, paper(2), day=NEXT, at=NOW + HOUR)
    await record(store, paper(3), source="feed", day=NEXT + timedelta(days=7), at=NOW + 2 * HOUR)
    both = [SOURCE, "feed"]

    assert await store.listed.oldest_day(both) == DAY
    assert await store.listed.newest_day(both, NEXT + timedelta(days=7)) == NEXT + timedelta(days=7)
    assert await store.listed.newest_day(both, NEXT + timedelta(days=6)) == NEXT
    assert await store.listed.newest_day([SOURCE], DAY - timedelta(days=1)) is None
    assert await store.listed.oldest_day([]) is None
    assert await store.listed.updated_at([SOURCE], DAY, NEXT) == NOW + HOUR
    assert await store.listed.updated_at(["feed"], DAY, NEXT) is None


async def test_some_days_show_each_paper_once(store: Store) -> None:
    await record(store, paper(1), upvotes=3)
    await record(store, paper(1), paper(2), day=NEXT, upvotes=9, at=NOW + 24 * HOUR)
    await record(store, paper(3), source="feed")

    shown = await store.listed.between([SOURCE], DAY, NEXT)

    assert [(one.listing.title, one.upvotes) for one in shown] == [(paper(1).title, 9), (paper(2).title, 9)]


async def test_the_newest_papers_of_some_sources_come_some_at_a_time(store: Store) -> None:
    await record(store, *map(paper, range(1, 6)))
    await record(store, paper(6), source="elsewhere")

    pages, before = [], None
    while page := await store.listed.newest([SOURCE], before=before, limit=2):
        pages.append([one.listing.arxiv_id[-1] for one in page])
        before = page[-1].key

    assert pages == [["5", "4"], ["3", "2"], ["1"]]
