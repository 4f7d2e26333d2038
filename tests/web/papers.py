"""All groups of public pages over a store in memory, without a server."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from lxml import html

from newsletter.core.delivery import Planned
from newsletter.core.diff import select
from newsletter.core.listing import Listing
from newsletter.core.tokens import Links
from newsletter.lists.addresses import normal_address
from newsletter.lists.files import ListFiles
from newsletter.ports import Store
from newsletter.readers.signup import SigningUp
from newsletter.sources import registry
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

    async def issue(self, day: date = DAY) -> None:
        """Close the issue of a day, with all that is listed until then."""
        list_ = self.files.load()["daily"].list
        candidates = await self.store.library.candidates(list_.sources, since=day - timedelta(days=3), until=day)
        draft = select(candidates, list_, day, number=await self.store.issues.last_number("daily") + 1)
        due = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        subject = draft.listings[0].listing.title
        await self.store.issues.freeze(draft, subject, lambda _, _had: Planned(due_at=due), now=due)


def pages_of(store: Store, folder: Path, *, public_url: str = PUBLIC_URL) -> Pages:
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
    return Pages(store, files, public_pages(store, files, signing_up, links, RENDERER, lambda: later))
