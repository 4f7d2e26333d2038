from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from newsletter.core.listing import Candidate, Listing
from newsletter.ports import Store
from newsletter.store import open_store
from tests.store.samples import DAY, HOUR, NOW, SOURCE, draft, due, entry, in_issue, keys, page, paper, record

EVER = {"since": date.min, "until": date.max}


async def everything(store: Store, *sources: str) -> list[Candidate]:
    return await store.library.candidates(sources or (SOURCE,), **EVER)


async def test_a_page_that_was_recorded_competes_with_all_that_was_seen(store: Store) -> None:
    full = paper(
        1,
        abstract="Short.",
        authors=("Ann Author", "Bob Böök"),
        published_on=date(2026, 2, 28),
        categories=("cs.CL", "cs.LG"),
        media_urls=("https://example.org/a.mp4",),
        author_count=7,
    )
    seen = entry(full, position=3, upvotes=12, comments=0, stars=None)

    recorded = await store.library.record(SOURCE, DAY, [seen], now=NOW)

    assert (recorded.listings, recorded.new, recorded.merged) == (1, 1, ())
    [candidate] = await everything(store)
    assert candidate.listing == full
    assert candidate.sightings == (seen.sighting,)


async def test_recording_a_page_again_adds_nothing(store: Store) -> None:
    await record(store, paper(1), paper(2), upvotes=3)
    before = await everything(store)

    again = await record(store, paper(1), paper(2), upvotes=3, at=NOW + HOUR)

    assert (again.listings, again.new) == (2, 0)
    assert await everything(store) == before


async def test_an_older_page_that_is_recorded_once_more_adds_nothing(store: Store) -> None:
    await record(store, paper(1), upvotes=3)
    await record(store, paper(1), upvotes=9, at=NOW + HOUR)

    await record(store, paper(1), upvotes=3)

    [candidate] = await everything(store)
    assert [sighting.upvotes for sighting in candidate.sightings] == [3, 9]


async def test_each_change_of_votes_comments_stars_or_position_is_a_sighting(store: Store) -> None:
    changes: list[dict[str, Any]] = [{}, {"upvotes": 1}, {"comments": 1}, {"stars": 5}, {"position": 2}]
    for hours, values in enumerate(changes):
        seen = entry(paper(1), at=NOW + hours * HOUR, **values)
        await store.library.record(SOURCE, DAY, [seen], now=NOW)

    [candidate] = await everything(store)
    assert [sighting.seen_at for sighting in candidate.sightings] == [NOW + hours * HOUR for hours in range(5)]


async def test_the_next_days_page_is_a_sighting_of_its_own(store: Store) -> None:
    await record(store, paper(1), upvotes=3)
    await record(store, paper(1), upvotes=3, day=DAY + timedelta(days=1))

    [candidate] = await everything(store)
    assert [sighting.listed_on for sighting in candidate.sightings] == [DAY, DAY + timedelta(days=1)]


async def test_a_listing_that_stands_on_a_page_twice_is_seen_where_it_stands_first(store: Store) -> None:
    twice = (paper(1), paper(2), paper(1, summary="In short."))

    recorded = await record(store, *twice)
    again = await record(store, *twice)

    assert (recorded.listings, recorded.new, again.new) == (2, 2, 0)
    first, second = await everything(store)
    assert [sighting.position for sighting in (*first.sightings, *second.sightings)] == [0, 1]
    assert first.listing.summary == "In short."


async def test_an_empty_page_can_be_recorded(store: Store) -> None:
    assert (await record(store)).listings == 0
    assert await everything(store) == []


async def test_what_a_newer_record_knows_wins_and_what_it_lacks_is_kept(store: Store) -> None:
    await record(store, paper(1, abstract="Old.", code_url="https://example.org/code"))
    await record(store, paper(1, abstract="New."), at=NOW + HOUR)

    [candidate] = await everything(store)
    assert candidate.listing.abstract == "New."
    assert candidate.listing.code_url == "https://example.org/code"


async def test_candidates_are_those_of_the_sources_and_days_that_are_asked_for(store: Store) -> None:
    for days in range(4):
        await record(store, paper(days), day=DAY + timedelta(days=days))
    await record(store, paper(1), paper(9), source="arxiv:cs.CL", day=DAY + timedelta(days=1))

    two_days = {"since": DAY + timedelta(days=1), "until": DAY + timedelta(days=2)}
    of_one = await store.library.candidates([SOURCE], **two_days)
    of_both = await store.library.candidates([SOURCE, "arxiv:cs.CL"], **two_days)

    assert [candidate.listing.arxiv_id for candidate in of_one] == ["2603.00001", "2603.00002"]
    assert [len(candidate.sightings) for candidate in of_one] == [1, 1]
    assert [candidate.listing.arxiv_id for candidate in of_both] == ["2603.00001", "2603.00002", "2603.00009"]
    assert [len(candidate.sightings) for candidate in of_both] == [2, 1, 1]


async def test_sightings_come_oldest_first_in_whatever_order_they_were_recorded(store: Store) -> None:
    for hours in (2, 0, 1):
        await record(store, paper(1), upvotes=hours, at=NOW + hours * HOUR)

    [candidate] = await everything(store)
    assert [sighting.upvotes for sighting in candidate.sightings] == [0, 1, 2]


async def test_a_title_as_long_as_a_book_is_recorded_and_recognised(store: Store) -> None:
    endless = Listing(title=" ".join(f"wörd{number}" for number in range(2000)))
    other = replace(endless, title=endless.title + " more")

    await record(store, endless, other)
    again = await record(store, endless, other)

    assert (again.listings, again.new) == (2, 0)


async def test_a_listing_whose_title_says_nothing_is_recorded_and_recognised(store: Store) -> None:
    assert (await record(store, Listing(title=""))).new == 1
    assert (await record(store, Listing(title=""))).new == 0


async def test_days_that_were_tried_are_unsettled_until_their_page_was_read_after_they_ended(store: Store) -> None:
    next_day = DAY + timedelta(days=1)
    await store.library.attempted(SOURCE, DAY, now=NOW, settled=False, error="503 from the server")
    await store.library.attempted(SOURCE, next_day, now=NOW, settled=False)
    await store.library.attempted("feed:other", DAY, now=NOW, settled=False)
    assert await store.library.unsettled(SOURCE) == {DAY, next_day}

    await store.library.attempted(SOURCE, DAY, now=NOW + HOUR, settled=True)
    assert await store.library.unsettled(SOURCE) == {next_day}


async def test_a_day_that_is_settled_stays_so(store: Store) -> None:
    await store.library.attempted(SOURCE, DAY, now=NOW, settled=True)
    await record(store, paper(1))
    await store.library.attempted(SOURCE, DAY, now=NOW, settled=False, error="down")

    assert await store.library.unsettled(SOURCE) == frozenset()


async def test_recording_a_page_does_not_count_as_an_attempt(store: Store) -> None:
    await record(store, paper(1))

    assert await store.library.unsettled(SOURCE) == frozenset()


async def test_listings_keep_their_keys_when_an_issue_holds_them(store: Store) -> None:
    await record(store, paper(1), paper(2))
    known = await keys(store)
    await store.issues.freeze(draft(in_issue(known["On the Nature of Number 2"])), "Papers", due(), now=NOW)
    await record(store, paper(3), paper(2, abstract="More."), at=NOW + HOUR)

    assert known.items() <= (await keys(store)).items()
    in_it = known["On the Nature of Number 2"]
    assert await store.issues.competed("daily", list(known.values())) == {in_it: True}


class TestFirstShown:
    """What a feed shows for the first time is news, whatever date it bears; but not its archive."""

    FEED = "feed:https://lab.example/feed.xml"
    OLD = (DAY - timedelta(days=40), date(1970, 1, 1), date(1, 1, 1))

    async def read(self, store: Store, day: date, *entries: tuple[Listing, date]) -> dict[str, date]:
        page = [
            entry(one, source=self.FEED, day=listed_on, at=NOW + (day - DAY), position=place)
            for place, (one, listed_on) in enumerate(entries)
        ]
        await store.library.record(self.FEED, day, page, now=NOW + (day - DAY))
        return {one.listing.title: one.first_listed_on for one in await everything(store, self.FEED)}

    async def test_the_first_reading_goes_by_the_entries_own_dates(self, store: Store) -> None:
        archive = [(paper(number), day) for number, day in enumerate(self.OLD)]
        assert tuple((await self.read(store, DAY, *archive)).values()) == self.OLD

    async def test_what_comes_later_is_listed_on_the_day_that_showed_it(self, store: Store) -> None:
        known, news = (paper(9), DAY), [(paper(number), day) for number, day in enumerate(self.OLD)]
        await self.read(store, DAY, known)
        for days in (1, 2, 3):
            found = await self.read(store, DAY + timedelta(days=days), *news, known)
            assert found == {
                **{one.title: DAY + timedelta(days=1) for one, _ in news},
                paper(9).title: DAY,
            }

    async def test_an_empty_first_page_is_a_reading(self, store: Store) -> None:
        await self.read(store, DAY)
        found = await self.read(store, DAY + timedelta(days=1), (paper(1), self.OLD[0]))
        assert list(found.values()) == [DAY + timedelta(days=1)]

    async def test_a_try_that_failed_is_none(self, store: Store) -> None:
        await store.library.attempted(self.FEED, DAY, now=NOW, settled=False, error="503")
        assert list((await self.read(store, DAY, (paper(1), self.OLD[0]))).values()) == [self.OLD[0]]

    async def test_what_another_source_showed_long_ago_is_news_of_this_one(self, store: Store) -> None:
        await record(store, paper(1), day=self.OLD[0])
        await self.read(store, DAY)
        found = await self.read(store, DAY + timedelta(days=1), (paper(1), self.OLD[0]))
        assert list(found.values()) == [DAY + timedelta(days=1)]

    async def test_pages_of_past_days_keep_their_day(self, store: Store) -> None:
        await record(store, paper(1), day=DAY)
        await record(store, paper(1), paper(2), day=DAY - timedelta(days=1), at=NOW + HOUR)
        found = {one.listing.title: one.first_listed_on for one in await everything(store)}
        assert set(found.values()) == {DAY - timedelta(days=1)}


@pytest.mark.parametrize("kind", ["links", "titles", "both"])
async def test_time_grows_as_the_number_of_entries_that_share_a_link_or_a_title(kind: str) -> None:
    # Four times as many take four times as long; sixteen times, if each were compared with each.
    assert await seconds_for(800, kind) < 9 * await seconds_for(200, kind)


async def seconds_for(count: int, kind: str) -> float:
    """Return the processor time that recording entries which share a link, a title or both takes, twice over."""
    listings = [
        Listing(
            title="Editorial" if kind == "titles" else f"Paper {number}",
            url=f"https://lab.example/{number if kind == 'titles' else 'all'}",
            abstract=f"Of {number}." if kind == "both" else "",
        )
        for number in range(count)
    ]
    entries = [replace(one, guid=str(number)) for number, one in enumerate(page(listings))]
    store = await open_store("sqlite://")
    began = time.process_time()
    for _ in range(2):
        assert (await store.library.record(SOURCE, DAY, entries, now=NOW)).listings == count
    took = time.process_time() - began
    await store.close()
    return took
