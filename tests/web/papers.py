"""All groups of public pages over a store in memory, without a server."""

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
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.page_names import identity_path
from newsletter.core.tokens import Links
from newsletter.lists.addresses import normal_address
from newsletter.lists.files import ListFiles
from newsletter.ports import Store
from newsletter.ports.pages import PageRenderer
from newsletter.readers.signup import SigningUp
from newsletter.sources import registry
from newsletter.store import open_store
from newsletter.web.pages.lists.known import KnownLists
from newsletter.web.pages.public import public_pages
from newsletter.web.pages.site_pages import MovedPage, PageGroup, SitePage, Wanted
from tests.store.samples import record
from tests.web.studio import RENDERER

DAY = date(2026, 3, 12)  # a Thursday
NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)
PUBLIC_URL = "https://papers.example.org"
LIST_FILE = """
title = "Daily Papers"
sender = "Papers <papers@example.org>"
sources = ["huggingface"]
timezone = "Europe/London"
signup = "open"

[topics.agents]
keywords = ["agent"]
"""


@dataclass
class Pages:
    """The public pages of a store and of the list files in a folder."""

    store: Store
    files: ListFiles
    groups: tuple[PageGroup, ...]

    async def answer(self, address: str, **wanted: Any) -> SitePage | MovedPage | None:
        """Return what a group answers for an address, as the server asks them."""
        asked = Wanted(**wanted)
        for group in self.groups:
            if await group.version(address, asked) is not None:
                found = await group.page(address, asked)
                if found is not None:
                    return found
        return None

    async def get(self, address: str, **wanted: Any) -> SitePage:
        found = await self.answer(address, **wanted)
        assert isinstance(found, SitePage), f"{address}: {found}"
        return found

    async def page(self, address: str, **wanted: Any) -> Any:
        """Return a page, read."""
        return html.document_fromstring((await self.get(address, **wanted)).content.decode())

    async def listed(self, *papers: Listing, day: date = DAY, at: datetime = NOW, **values: Any) -> None:
        """Let the source show papers for a day."""
        await record(self.store, *papers, day=day, at=at, **values)

    async def issue(self, day: date = DAY, machine: MachineSummary | None = None) -> None:
        """Close the issue of a day, with all that is listed until then, and with what a model wrote of each."""
        list_ = self.files.load()["daily"].list
        candidates = await self.store.library.candidates(list_.sources, since=day - timedelta(days=3), until=day)
        draft = select(candidates, list_, day, number=await self.store.issues.last_number("daily") + 1)
        draft = replace(draft, listings=tuple(replace(one, machine=machine) for one in draft.listings))
        due = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        subject = draft.listings[0].listing.title
        await self.store.issues.freeze(draft, subject, lambda _, _had: Planned(due_at=due), now=due)


def pages_of(
    store: Store, folder: Path, *, public_url: str = PUBLIC_URL, renderer: PageRenderer = RENDERER
) -> Pages:
    """Return the pages of one list, of which nothing is known yet."""
    (folder / "daily.toml").write_text(LIST_FILE, encoding="utf-8")
    files, links = (
        ListFiles(folder, check_source=registry.check),
        Links(public_url, "not a secret, being in a test"),
    )
    signing_up = SigningUp(
        signups=store.signups,
        subscribers=store.subscribers,
        lists=files,
        links=links,
        check_address=normal_address,
        wake=lambda: None,
    )
    later = NOW + timedelta(hours=12)
    lists = KnownLists(
        issues=store.issues, lists=files, signing_up=signing_up, source_names=lambda list_: list_.sources
    )
    groups = public_pages(store, lists, links, renderer, lambda: later)
    return Pages(store, files, groups)


def samples(
    folder: Path, papers: Sequence[Listing], *, renderer: PageRenderer, list_file: str = LIST_FILE
) -> dict[str, str]:
    """Return pages of papers and of the search by address: one with all parts, one with next to nothing."""

    async def made() -> dict[str, str]:
        store = await open_store("sqlite://")
        try:
            pages = pages_of(store, folder, renderer=renderer)
            (folder / "daily.toml").write_text(list_file, encoding="utf-8")
            for hours, votes in ((0, 12), (5, 1470)):
                at = NOW + timedelta(hours=hours)
                await pages.listed(*papers, at=at, upvotes=votes, comments=3, stars=80)
            await pages.issue()
            await pages.listed(Listing(title="论"), at=NOW + timedelta(hours=6))
            known = [identity_path(one.identity) async for one in store.papers.addresses()]
            found = {one: await pages.get(one) for one in (known[0], known[-1])}
            for query in ({"q": papers[0].title}, {"q": "囗"}, {}):
                found[f"search {query}"] = await pages.get("-/search/", query=query)
            return {name: page.content.decode() for name, page in found.items()}
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as thread:  # Playwright runs an event loop in the tests' own
        return thread.submit(lambda: asyncio.run(made())).result()
