"""What machines ask a site for: robots.txt, the sitemap (https://www.sitemaps.org), and its icon."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from typing_extensions import override

from newsletter.core.page_names import OWN, STATIC, identity_path
from newsletter.core.tokens import Links
from newsletter.ports import Clock, Papers
from newsletter.ports.pages import PageRenderer
from newsletter.web.pages.lists.known import KnownList, KnownLists
from newsletter.web.pages.lists.places import Archive, Day, Front, Place, address_of
from newsletter.web.pages.lists.reading import ListReader
from newsletter.web.pages.site_pages import PageGroup, SitePage, Wanted, version_of

ROBOTS, SITEMAP, ICON = "robots.txt", "sitemap.xml", "favicon.ico"
_LISTS = "sitemap-lists.xml"
_OF_PAPERS = re.compile(r"sitemap-([1-9]\d{0,5})\.xml", re.ASCII)
_XML = "application/xml; charset=utf-8"
_NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
_MOST = 40_000  # addresses in a sitemap; 50,000 are allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class MachinePages(PageGroup):
    """Pages for machines. The sitemap needs a public address; where it has none, there is no sitemap.

    Attributes:
        lists: finds all lists.
        reader: reads of which days they have pages.
        papers: knows all papers.
        renderer: has the icon among its files.
        links: makes public addresses.
        clock: the present moment.
    """

    lists: KnownLists
    reader: ListReader
    papers: Papers
    renderer: PageRenderer
    links: Links
    clock: Clock

    @override
    async def addresses(self) -> AsyncIterator[str]:
        yield ROBOTS
        yield ICON
        if not self.links.public_url:
            return
        yield SITEMAP
        parts = await self._parts()
        if parts > 1:
            yield _LISTS
            for number in range(1, parts + 1):
                yield f"sitemap-{number}.xml"

    @override
    async def version(self, address: str, wanted: Wanted) -> str | None:
        if address == ICON:
            return self.renderer.files.name(ICON)
        if address == ROBOTS:
            return version_of(self.links.public_url)
        is_sitemap = address in {SITEMAP, _LISTS} or _OF_PAPERS.fullmatch(address)
        if not is_sitemap or not self.links.public_url:
            return None
        lists = await self.lists.all()
        days = [str(one.last_day(self.clock())) for one in lists]
        return version_of(self.links.public_url, await self.reader.listed.version(), *map(repr, lists), *days)

    @override
    async def page(self, address: str, wanted: Wanted) -> SitePage | None:
        if address == ICON:
            icon = self.renderer.files.find(self.renderer.files.name(ICON))
            return SitePage(content=icon.content, media_type=icon.media_type) if icon else None
        if address == ROBOTS:
            return SitePage(content=self._robots().encode(), media_type="text/plain; charset=utf-8")
        parts = await self._parts()
        numbered = _OF_PAPERS.fullmatch(address)
        if address == SITEMAP and parts == 1:
            return _sitemap({**await self._of_lists(), **await self._of_papers(1)})
        if address == SITEMAP:
            names = [_LISTS, *(f"sitemap-{number}.xml" for number in range(1, parts + 1))]
            return _index(f"{self.links.public_url}/{name}" for name in names)
        if parts == 1 or (numbered and int(numbered[1]) > parts):
            return None
        return _sitemap(await self._of_papers(int(numbered[1])) if numbered else await self._of_lists())

    def _robots(self) -> str:
        """Return what robots may read: no forms, no search, no page of a reader (RFC 9309)."""
        lines = ["User-agent: *", f"Allow: /{STATIC}/", f"Disallow: /{OWN}/"]
        public = self.links.public_url
        return "\n".join([*lines, *(["", f"Sitemap: {public}/{SITEMAP}"] if public else []), ""])

    async def _parts(self) -> int:
        """Return into how many sitemaps the papers are divided, by their numbers."""
        return max(-(-(await self.papers.newest_key()) // _MOST), 1)

    async def _of_lists(self) -> dict[str, datetime | None]:
        found: dict[str, datetime | None] = {f"{self.links.public_url}/": None}
        for known in await self.lists.all():
            found |= {f"{self.links.public_url}/{address}": None for address in await self._of_list(known)}
        return dict(list(found.items())[:_MOST])

    async def _of_list(self, known: KnownList) -> list[str]:
        """Return the addresses of a list's pages that stay what they are, the newest day first."""
        reach = await self.reader.reach(known, self.clock())
        places: list[Place] = [Front(list=known.name), Archive(list=known.name)]
        if reach is None:
            return [address_of(place) for place in places]
        listed = await self.reader.listed.days(known.sources, reach.first, reach.last)
        days = sorted({*listed, *await self.reader.issues.days(known.name)}, reverse=True)
        places += [Day(list=known.name, day=day) for day in days]
        return [address_of(place) for place in places]

    async def _of_papers(self, number: int) -> dict[str, datetime | None]:
        known = self.papers.addresses(since=(number - 1) * _MOST + 1, until=number * _MOST)
        return {f"{self.links.public_url}/{identity_path(one.identity)}": one.updated_at async for one in known}


def _sitemap(urls: Mapping[str, datetime | None]) -> SitePage:
    lines = (
        f"<url><loc>{escape(url)}</loc>"
        + (f"<lastmod>{changed:%Y-%m-%dT%H:%M:%SZ}</lastmod>" if changed else "")
        + "</url>"
        for url, changed in urls.items()
    )
    return _xml("urlset", lines)


def _index(urls: Iterable[str]) -> SitePage:
    return _xml("sitemapindex", (f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in urls))


def _xml(root: str, lines: Iterable[str]) -> SitePage:
    body = "\n".join(lines)
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {_NAMESPACE}>\n{body}\n</{root}>\n'
    return SitePage(content=content.encode(), media_type=_XML)
