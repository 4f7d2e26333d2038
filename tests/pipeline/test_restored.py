"""Feeds that are read for the first time since a backup was restored."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from newsletter.core.listing import Entry, Page
from newsletter.pipeline.restored import with_first_readings
from newsletter.ports import Source, Store
from tests.store.samples import DAY, NOW, entry, paper

A_DAY = timedelta(days=1)


class Feed(Source):
    """Shows what it is told to, without days."""

    name, dated = "feed:https://example.org/feed", False

    def __init__(self, *published: date | None) -> None:
        self.published = published

    async def read(self, day: date, *, now: datetime) -> Page:
        return Page(entries=tuple(self._entry(number, one, day, now) for number, one in enumerate(self.published)))

    def _entry(self, number: int, published: date | None, day: date, now: datetime) -> Entry:
        listed_on = min(published or day, day)
        return entry(paper(number, published_on=published), source=self.name, day=listed_on, at=now)


async def read(store: Store, feed: Feed, now: datetime) -> None:
    [source] = await with_first_readings(store, [feed])
    page = await source.read(now.date(), now=now)
    await store.library.record(source.name, now.date(), page.entries, now=now)
    await store.library.attempted(source.name, now.date(), now=now, settled=False)


async def listed_on(store: Store) -> list[date]:
    found = await store.library.candidates([Feed.name], since=date.min, until=date.max)
    return [candidate.first_listed_on for candidate in sorted(found, key=lambda one: one.key)]


async def test_an_entry_counts_on_the_day_that_it_may_have_been_shown_on_while_nobody_looked(store: Store) -> None:
    await read(store, Feed(DAY - A_DAY), NOW)
    until = NOW + A_DAY
    await store.restored.assume_sent(until, now=until)

    # of the day that is lost, of today, and without a date
    await read(store, Feed(DAY - A_DAY, DAY + A_DAY, DAY + 2 * A_DAY, None), NOW + 2 * A_DAY)
    known = await listed_on(store)
    assert known == [DAY - A_DAY, DAY + A_DAY, DAY + 2 * A_DAY, DAY + A_DAY]

    # from then on the day counts on which an entry is there first, as ever
    await read(store, Feed(DAY - A_DAY, DAY + A_DAY, DAY + 2 * A_DAY, None, DAY), NOW + 3 * A_DAY)
    assert await listed_on(store) == [*known, DAY + 3 * A_DAY]


async def test_where_no_backup_was_restored_sources_are_as_they_are(store: Store) -> None:
    feed = Feed(DAY)
    assert await with_first_readings(store, [feed]) == [feed]
