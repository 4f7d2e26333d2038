from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from newsletter.store import open_store
from newsletter.web.pages import machines
from tests.store.samples import paper
from tests.web.papers import DAY, NOW, Pages, pages_of

_LOC = "{http://www.sitemaps.org/schemas/sitemap/0.9}loc"


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    store = await open_store("sqlite://")
    yield pages_of(store, tmp_path)
    await store.close()


async def locations(pages: Pages, address: str) -> list[str]:
    root = etree.fromstring((await pages.get(address)).content)
    return [(one.text or "").removeprefix("https://papers.example.org/") for one in root.iter(_LOC)]


async def test_robots_are_told_what_is_for_them(pages: Pages) -> None:
    assert (await pages.get("robots.txt")).content.decode() == (
        "User-agent: *\nAllow: /-/static/\nDisallow: /-/\n\nSitemap: https://papers.example.org/sitemap.xml\n"
    )


async def test_the_sitemap_names_lists_days_and_papers(pages: Pages) -> None:
    await pages.listed(paper(1), day=DAY - timedelta(days=1), at=NOW - timedelta(days=1))
    await pages.listed(paper(2))
    await pages.issue()
    assert await locations(pages, "sitemap.xml") == [
        *("", "daily/", "daily/archive/", "daily/2026-03-12/", "daily/2026-03-11/"),
        *("p/2603.00001/", "p/2603.00002/"),
    ]
    for address in await locations(pages, "sitemap.xml"):
        assert await pages.answer(address) is not None, address
    assert b"<lastmod>2026-03-12T08:00:00Z</lastmod>" in (await pages.get("sitemap.xml")).content
    assert await pages.answer("sitemap-1.xml") is None


async def test_a_large_site_has_an_index_of_sitemaps(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_MOST", 2)
    await pages.listed(*(paper(number) for number in range(1, 6)))
    parts = await locations(pages, "sitemap.xml")
    assert parts == ["sitemap-lists.xml", "sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml"]
    shown = [address for part in parts[1:] for address in await locations(pages, part)]
    assert shown == [f"p/2603.0000{number}/" for number in range(1, 6)]
    assert await pages.answer("sitemap-4.xml") is None


async def test_a_site_without_a_public_address_has_no_sitemap(tmp_path: Path) -> None:
    store = await open_store("sqlite://")
    pages = pages_of(store, tmp_path, public_url="")
    assert await pages.answer("sitemap.xml") is None
    assert b"Sitemap" not in (await pages.get("robots.txt")).content
    await store.close()


async def test_there_is_an_icon(pages: Pages) -> None:
    icon = await pages.get("favicon.ico")
    assert icon.media_type == "image/x-icon"
    assert icon.content[:4] == b"\0\0\1\0"
