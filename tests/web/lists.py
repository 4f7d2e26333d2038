"""The public pages of lists over a store in memory, without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import html

from newsletter.core.delivery import Planned
from newsletter.core.diff import select
from newsletter.core.issue import Issue
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.pictures import Figure
from newsletter.core.ranking import ROSE_LATE
from newsletter.core.tokens import Links
from newsletter.lists.addresses import normal_address
from newsletter.lists.files import ListFiles
from newsletter.ports import Store
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import SigningUp
from newsletter.sources import registry
from newsletter.store import open_store
from newsletter.web.pages.lists.group import ListPages
from newsletter.web.pages.lists.known import KnownLists
from newsletter.web.pages.lists.reading import ListReader
from newsletter.web.pages.site_pages import SitePage, Wanted
from tests.store.samples import record
from tests.web.studio import RENDERER

DAY = date(2026, 3, 12)  # a Thursday
A_DAY = timedelta(days=1)
PAPERS = 20  # that make all parts of a page appear
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
LINKS = Links("https://papers.example.org", "not a secret, being in a test")
LIST_FILE = """
title = "Daily Papers"
sender = "Papers <papers@example.org>"
sources = ["huggingface"]
timezone = "Europe/London"
days = ["mon", "tue", "wed", "thu", "fri"]
signup = "open"

[topics.agents]
keywords = ["agent"]
"""


@dataclass
class Lists:
    """The pages of lists in a folder, and the moment at which they are looked at."""

    store: Store
    folder: Path
    pages: ListPages
    now: datetime = NOW + timedelta(hours=12)

    def write(self, text: str, name: str = "daily") -> None:
        """Write a list file."""
        (self.folder / f"{name}.toml").write_text(text, encoding="utf-8")

    def list(self, name: str = "daily") -> NewsletterList:
        """Return a list as its file says."""
        return files(self.folder).load()[name].list

    async def listed(self, *papers: Listing, day: date = DAY, at: datetime = NOW, **values: Any) -> None:
        """Let the source show papers for a day."""
        await record(self.store, *papers, day=day, at=at, **values)

    async def issue(
        self, day: date = DAY, *, weekly: bool = False, figure: Figure | None = None, late: Listing | None = None
    ) -> Issue:
        """Close the issue of a day with all that is listed until then, each with a figure or none; `late` rose."""
        list_ = self.list()
        edition = list_.weekly_edition if weekly else list_
        assert edition is not None
        since = day - timedelta(days=6 if weekly else 3)
        candidates = await self.store.library.candidates(list_.sources, since=since, until=day)
        had = await self.store.issues.competed(edition.name, [one.key for one in candidates])
        number = await self.store.issues.last_number(edition.name) + 1
        draft = select([one for one in candidates if one.key not in had], edition, day, number=number)
        listings = (
            replace(one, figure=figure, reasons=(ROSE_LATE,) if one.listing == late else one.reasons)
            for one in draft.listings
        )
        draft = replace(draft, listings=tuple(listings))
        due = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        subject = draft.listings[0].listing.title if draft.listings else "No news"
        issue, _ = await self.store.issues.freeze(draft, subject, lambda _, _had: Planned(due_at=due), now=due)
        return issue

    async def content(self, address: str, **wanted: Any) -> bytes | None:
        """Return the bytes of a page; None: there is none."""
        asked = Wanted(**wanted)
        if await self.pages.version(address, asked) is None:
            return None
        page = await self.pages.page(address, asked)
        return page.content if isinstance(page, SitePage) else None

    async def page(self, address: str, **wanted: Any) -> Any:
        """Return a page, read."""
        content = await self.content(address, **wanted)
        assert content is not None, f"no page {address}"
        return html.document_fromstring(content.decode())


def files(folder: Path) -> ListFiles:
    return ListFiles(folder, check_source=registry.check)


def lists_in(folder: Path, store: Store, *, renderer: PageRenderer = RENDERER) -> Lists:
    """Return the pages of one list, of which nothing is known yet."""
    read = files(folder)
    signing_up = SigningUp(
        signups=store.signups,
        subscribers=store.subscribers,
        lists=read,
        links=LINKS,
        check_address=normal_address,
        wake=lambda: None,
    )
    pages = ListPages(
        lists=KnownLists(
            issues=store.issues, lists=read, signing_up=signing_up, source_names=lambda list_: list_.sources
        ),
        reader=ListReader(issues=store.issues, listed=store.listed),
        renderer=renderer,
        links=LINKS,
        clock=lambda: shown.now,
    )
    shown: Lists = Lists(store, folder, pages)
    shown.write(LIST_FILE)
    return shown


def pages(
    folder: Path,
    papers: Sequence[Listing],
    *,
    renderer: PageRenderer,
    list_file: str = LIST_FILE,
    language: str = "en",
) -> dict[str, str]:
    """Return all pages of a list, by address: some papers are of yesterday, some came after the issue."""

    async def made() -> dict[str, str]:
        store = await open_store("sqlite://")
        try:
            lists = lists_in(folder, store, renderer=renderer)
            lists.write(list_file)
            third = len(papers) // 3
            await lists.listed(*papers[:third], day=DAY - A_DAY, at=NOW - A_DAY, upvotes=12, comments=3, stars=4)
            await lists.listed(*papers[third : 2 * third], upvotes=1470, comments=2, stars=80)
            await lists.issue()
            await lists.listed(*papers, upvotes=1471, comments=3, stars=80, at=NOW + timedelta(hours=3))
            await lists.issue(weekly=True)
            addresses = [address async for address in lists.pages.addresses()]
            return {one: (await lists.content(one, language=language) or b"").decode() for one in addresses}
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as thread:  # Playwright runs an event loop in the tests' own
        return thread.submit(lambda: asyncio.run(made())).result()


def titles(page: Any) -> list[str]:
    """Return the titles of a page's papers, in its order."""
    shown = page.cssselect(".paper .title a, .paper-row summary > span:first-child")
    return [title.text_content().strip() for title in shown]


def words(page: Any) -> str:
    """Return all that a page says, with single spaces."""
    return " ".join(page.text_content().split())


def links(page: Any) -> set[str]:
    """Return where a page leads."""
    return {one.get("href") for one in page.cssselect("a[href]")}
