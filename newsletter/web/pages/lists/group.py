"""All public pages of lists, and the front page of the site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from typing_extensions import override

from newsletter.core.newsletter_list import WEEKLY_EDITION, editions_of
from newsletter.core.tokens import Links
from newsletter.ports import Clock
from newsletter.ports.pages import PageRenderer
from newsletter.web.pages.lists.day_pages import day_page, front_page
from newsletter.web.pages.lists.drawing import Drawing, Setting, order_of, with_code
from newsletter.web.pages.lists.home import HOME, home_page
from newsletter.web.pages.lists.known import KnownList, KnownLists
from newsletter.web.pages.lists.period_pages import archive_page, week_page
from newsletter.web.pages.lists.places import (
    Archive,
    Day,
    Front,
    Paged,
    Place,
    TopicPapers,
    Topics,
    Week,
    address_of,
    following,
    monday_of,
    of_topic,
    read_place,
)
from newsletter.web.pages.lists.reading import ListReader, Reach
from newsletter.web.pages.lists.topic_pages import TopicMemory, months_of, topic_page, topics_page
from newsletter.web.pages.site_pages import MovedPage, PageGroup, SitePage, Wanted, version_of

_DAYS_OF_A_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPages(PageGroup):
    """The pages of all lists.

    Attributes:
        lists: finds them.
        reader: reads what they show.
        renderer: renders pages.
        links: makes public addresses.
        clock: the present moment.
    """

    lists: KnownLists
    reader: ListReader
    renderer: PageRenderer
    links: Links
    clock: Clock
    _memory: TopicMemory = field(default_factory=TopicMemory)

    @override
    async def version(self, address: str, wanted: Wanted) -> str | None:
        now = self.clock()
        shared = (self.renderer.fingerprint(), self.links.public_url, str(wanted.is_static))
        if address == HOME:
            lists = await self.lists.all()
            asked: tuple[str, ...] = (wanted.language,)
        else:
            place = read_place(address)
            known = await self._known(place) if place else None
            if known is None:
                return None
            lists, asked = [known], (order_of(wanted).value, str(with_code(wanted)))
        editions = [edition for known in lists for edition in editions_of(known.name)]
        days = [str(known.last_day(now)) for known in lists]
        return version_of(*shared, *asked, await self.reader.listed.version(editions), *map(repr, lists), *days)

    @override
    async def page(self, address: str, wanted: Wanted) -> SitePage | MovedPage | None:
        now = self.clock()
        if address == HOME:
            return await self._finished(await home_page(self.lists, self.reader, wanted, self.links, now))
        place = read_place(address)
        known = await self._known(place) if place else None
        if place is None or known is None:
            return None
        if isinstance(place, Front) and place.list != known.name:
            return MovedPage(address=address_of(Front(list=known.name)))
        setting = Setting(known=known, address=address, wanted=wanted, links=self.links, now=now)
        return await self._finished(await self._drawing(setting, place))

    async def _known(self, place: Place) -> KnownList | None:
        return await self.lists.named(place.list.removesuffix(WEEKLY_EDITION))

    async def _drawing(self, setting: Setting, place: Place) -> Drawing | None:
        match place:
            case Front():
                return await front_page(self.reader, setting, place)
            case Day():
                return await day_page(self.reader, setting, place)
            case Week():
                return await week_page(self.reader, setting, place)
            case Archive():
                return await archive_page(self.reader, setting, place)
            case Topics():
                return await topics_page(self.reader, setting, self._memory)
            case TopicPapers():
                return await topic_page(self.reader, setting, place, self._memory)

    async def _finished(self, drawing: Drawing | None) -> SitePage | None:
        if drawing is None:
            return None
        # In a thread: a long page takes long, and delivery and other pages go on meanwhile.
        content = await asyncio.to_thread(self._render, drawing)
        return SitePage(content=content, changed_at=drawing.changed_at)

    def _render(self, drawing: Drawing) -> bytes:
        return self.renderer.page(drawing.template, drawing.values()).encode()

    @override
    async def addresses(self) -> AsyncIterator[str]:
        yield HOME
        for known in await self.lists.all():
            async for place in self._places(known):
                yield address_of(place)

    async def _places(self, known: KnownList) -> AsyncIterator[Place]:
        """Yield the places of all pages of a list."""
        name, reach = known.name, await self.reader.reach(known, self.clock())
        years = range(reach.first.year, reach.last.year + 1) if reach else ()
        yield Front(list=name)
        for year in (None, *years):
            yield Archive(list=name, year=year)
        yield Week(list=name)
        if known.topics:
            yield Topics(list=name)
        paged = [
            *(await self._days(known, reach) if reach else ()),
            *(_weeks(name, reach) if reach else ()),
            *_of_topics(known, reach),
        ]
        for place in paged:
            async for one in self._parts(known, place):
                yield one

    async def _days(self, known: KnownList, reach: Reach) -> list[Day]:
        """Return the days of a list, and those on which its weekly edition came out."""
        listed = await self.reader.listed.days(known.sources, reach.first, reach.last)
        daily, weekly = editions_of(known.name)
        days = sorted({*listed, *await self.reader.issues.days(daily)})
        issued = await self.reader.issues.days(weekly)
        return [*(Day(list=daily, day=day) for day in days), *(Day(list=weekly, day=day) for day in issued)]

    async def _parts(self, known: KnownList, place: Paged) -> AsyncIterator[Place]:
        """Yield all pages of a place that may need more than one."""
        setting = Setting(
            known=known, address=address_of(place), wanted=Wanted(), links=self.links, now=self.clock()
        )
        drawing = await self._drawing(setting, place)
        for number in range(1, (drawing.pages if drawing else 0) + 1):
            yield following(place, number)


def _weeks(list_name: str, reach: Reach) -> Iterator[Week]:
    for monday in range(monday_of(reach.first).toordinal(), reach.last.toordinal() + 1, _DAYS_OF_A_WEEK):
        yield Week(list=list_name, monday=date.fromordinal(monday))


def _of_topics(known: KnownList, reach: Reach | None) -> Iterator[TopicPapers]:
    for topic in known.topics:
        for month in (None, *(months_of(reach) if reach else ())):
            yield replace(of_topic(known.name, topic), month=month)
