from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.listing import Listing
from newsletter.render.site.feeds import WRITERS, Feed, FeedEntry, json_feed
from newsletter.store import open_store
from tests.web.papers import NOW, Pages, pages_of

AGENTS = Listing(
    title="Agents & <Tools> \ufffe\u202e that act",
    arxiv_id="2603.00001",
    authors=("Zoë Å", "B. Two"),
    abstract="An agent acts.",
    ai_summary="It acts.",
    keywords=("agents",),
)
OTHER = Listing(title="Of something else", url="https://example.org/other", abstract="There.")


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    store = await open_store("sqlite://")
    yield pages_of(store, tmp_path)
    await store.close()


async def read(pages: Pages, address: str) -> Any:
    """Return a feed as a reader of feeds reads it."""
    found = await pages.get(address)
    parsed = feedparser.parse(found.content)
    assert not parsed.bozo, parsed.get("bozo_exception")
    assert found.changed_at is not None
    return parsed


@pytest.mark.parametrize("ending", ["atom", "rss"])
async def test_the_papers_of_a_list_are_a_feed_with_whole_texts(pages: Pages, ending: str) -> None:
    await pages.listed(OTHER)
    await pages.listed(OTHER, AGENTS, at=NOW + timedelta(hours=2))

    feed = await read(pages, f"daily/feed.{ending}")

    assert feed.feed.title == "Daily Papers"
    assert feed.feed.link == "https://papers.example.org/daily/"
    first, second = feed.entries
    assert " ".join(unescape(first.title).split()) == "Agents & <Tools> that act"
    assert second.link == "https://papers.example.org/p/url/example.org_other/"
    assert first.link == "https://papers.example.org/p/2603.00001/"
    assert "An agent acts." in (first.content[0].value if ending == "atom" else first.summary)
    names = {"Zoë Å", "B. Two"} if ending == "atom" else {"B. Two"}  # feedparser keeps one of RSS
    assert names <= {one.get("name") for one in first.authors}
    assert [tag.term for tag in first.tags] == ["agents"]
    assert first.published_parsed[:4] == (2026, 3, 12, 10)


async def test_the_same_papers_are_a_json_feed(pages: Pages) -> None:
    await pages.listed(AGENTS)
    feed = json.loads((await pages.get("daily/feed.json")).content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "https://papers.example.org/daily/feed.json"
    [item] = feed["items"]
    assert item["authors"] == [{"name": "Zoë Å"}, {"name": "B. Two"}]
    assert item["date_published"] == "2026-03-12T08:00:00+00:00"
    assert item["url"] == "https://papers.example.org/p/2603.00001/"
    assert item["id"].startswith("tag:papers.example.org,2026-03-12:papers/")


@pytest.mark.parametrize("ending", ["atom", "json"])
async def test_a_summary_by_a_model_says_so_in_feeds(pages: Pages, ending: str) -> None:
    await pages.listed(replace(AGENTS, summary="", ai_summary="Agents act on tools."))
    content = (await pages.get(f"daily/feed.{ending}")).content.decode()
    assert content.count("AI summary: Agents act on tools.") == 1
    assert content.count("Agents act on tools.") == 2  # the summary, and the content, where markup stands between


async def test_an_entry_keeps_its_id_when_more_becomes_known_of_the_paper(pages: Pages) -> None:
    await pages.listed(OTHER)
    before = await read(pages, "daily/feed.atom")
    await pages.listed(replace(OTHER, arxiv_id="2603.00007"), at=NOW + timedelta(hours=1))
    after = await read(pages, "daily/feed.atom")
    assert [one.link for one in after.entries] == ["https://papers.example.org/p/2603.00007/"]
    assert [one.id for one in after.entries] == [one.id for one in before.entries]
    assert [one.updated for one in after.entries] == [one.updated for one in before.entries]


async def test_issues_are_a_feed_of_their_own(pages: Pages) -> None:
    await pages.listed(AGENTS, OTHER)
    await pages.issue()
    for ending in ("atom", "rss"):
        [entry] = (await read(pages, f"daily/issues.{ending}")).entries
        assert entry.link == "https://papers.example.org/daily/2026-03-12/"
        assert entry.id == "tag:papers.example.org,2026-03-12:daily/issues/1"
        content = entry.content[0].value if ending == "atom" else entry.summary
        assert 'href="https://papers.example.org/p/2603.00001/"' in content


async def test_each_topic_has_a_feed(pages: Pages) -> None:
    await pages.listed(AGENTS, OTHER)
    feed = await read(pages, "daily/topics/agents/feed.atom")
    assert [one.link for one in feed.entries] == ["https://papers.example.org/p/2603.00001/"]
    assert feed.feed.title == "Daily Papers · agents"
    assert await pages.answer("daily/topics/none/feed.atom") is None


async def test_pages_name_their_feeds(pages: Pages) -> None:
    await pages.listed(AGENTS, OTHER)
    for address, feed in (
        ("daily/", "../daily/feed.atom"),
        ("daily/topics/agents/", "../../../daily/topics/agents/feed.atom"),
    ):
        page = await pages.page(address)
        assert feed in [
            one.get("href") for one in page.cssselect("link[rel=alternate][type='application/atom+xml']")
        ]


async def test_all_feeds_have_an_address_and_are_there_without_papers(pages: Pages) -> None:
    group = next(group for group in pages.groups if type(group).__name__ == "FeedPages")
    addresses = [one async for one in group.addresses()]
    assert len(addresses) == 9
    for address in addresses:
        found = await pages.get(address)
        if not address.endswith("json"):
            assert not feedparser.parse(found.content).bozo
    assert await pages.answer("nolist/feed.atom") is None
    assert await pages.answer("daily/feed.xml") is None


async def test_without_a_public_address_feeds_link_from_the_root(tmp_path: Path) -> None:
    store = await open_store("sqlite://")
    pages = pages_of(store, tmp_path, public_url="")
    await pages.listed(AGENTS)
    [item] = json.loads((await pages.get("daily/feed.json")).content)["items"]
    assert item["url"] == "/p/2603.00001/"
    await store.close()


@given(text=st.text(max_size=80))
def test_no_text_breaks_a_feed(text: str) -> None:
    entry = FeedEntry(
        id="tag:a,2026-01-01:1",
        url="https://a.example/",
        title=text,
        summary=text,
        content=text,
        at=NOW,
        authors=(text,),
        keywords=(text,),
    )
    feed = Feed(
        id="tag:a,2026-01-01:feed",
        title=text,
        description=text,
        url="https://a.example/",
        own_url="https://a.example/feed",
        language="en",
        updated_at=NOW,
        entries=(entry,),
    )
    for ending in ("atom", "rss"):
        parsed = feedparser.parse(WRITERS[ending][0](feed))
        assert not parsed.bozo
        assert len(parsed.entries) == 1
    assert json.loads(json_feed(feed))["items"][0]["id"] == entry.id
