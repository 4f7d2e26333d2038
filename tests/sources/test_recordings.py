"""Whatever was recorded of real services can be read, whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from newsletter.core.errors import SourceError
from newsletter.core.listing import Page
from newsletter.core.text import one_line
from tests.services import shared
from tests.sources.conftest import DAY, NOW, Build


def recordings(*parts: str) -> list[Path]:
    folder = shared("responses", *parts[:-1])
    return sorted(folder.glob(parts[-1]))


async def test_every_recorded_day_of_daily_papers(source: Build, httpserver: HTTPServer) -> None:
    paths = recordings("huggingface", "*.json")
    assert paths
    for path in paths:
        records = json.loads(path.read_text("utf-8"))
        httpserver.clear()
        httpserver.expect_request("/api/daily_papers").respond_with_json(records)
        page = await source("huggingface").read(DAY, now=NOW)
        assert not page.skipped
        # One recorded page shows a paper twice.
        assert_whole(page, list({record["paper"]["id"]: record for record in records}.values()))


def assert_whole(page: Page, records: list[dict[str, Any]]) -> None:
    assert len(page.entries) == len(records)
    for entry, record in zip(page.entries, records, strict=True):
        listing, paper = entry.listing, record["paper"]
        assert listing.title == one_line(paper["title"])
        assert listing.abstract == one_line(paper["summary"])
        assert len(listing.authors) == len(paper["authors"])
        assert listing.thumbnail_url.startswith("https://")
        assert (listing.code_url == "") == ("githubRepo" not in paper)
        assert (entry.sighting.upvotes, entry.sighting.comments) == (paper["upvotes"], record["numComments"])
        assert entry.sighting.stars == paper.get("githubStars")
        assert (listing.organization == "") == (
            "organization" not in record and "submitterOrganization" not in record
        )


@pytest.mark.parametrize(
    ("name", "papers"),
    [
        ("rss_cs.AI_2026-04-27*.xml", 3),
        ("atom_feed_cs.AI_2025-08-20*.xml", 7),
        ("rss_cs.CL_*_saturday_empty.xml", 0),
    ],
)
async def test_recorded_feeds_of_arxiv(name: str, papers: int, source: Build, httpserver: HTTPServer) -> None:
    (path,) = recordings("arxiv", name)
    httpserver.expect_request("/rss/cs.AI").respond_with_data(path.read_bytes())
    page = await source("arxiv:cs.AI?replacements").read(DAY, now=NOW)
    assert len(page.entries) == papers
    assert not page.skipped
    for entry in page.entries:
        assert entry.listing.authors
        assert not entry.listing.abstract.startswith("arXiv:")


async def test_recorded_answer_of_the_arxiv_api(source: Build, httpserver: HTTPServer) -> None:
    (path,) = recordings("arxiv", "api_query_cs*.xml")
    httpserver.expect_request("/api/query").respond_with_data(path.read_bytes())
    page = await source("arxiv_search:cat:cs.AI").read(DAY, now=NOW)
    assert len(page.entries) == 25
    assert not page.skipped
    assert all(entry.listing.authors and entry.listing.published_on for entry in page.entries)


async def test_recorded_errors_of_the_arxiv_api(source: Build, httpserver: HTTPServer) -> None:
    bad = json.loads(recordings("arxiv", "api_query_bad_id_400.json")[0].read_text("utf-8"))
    httpserver.expect_ordered_request("/api/query").respond_with_data(bad["body"], status=bad["status_code"])
    with pytest.raises(SourceError, match="does not understand the query: incorrect id format for abc"):
        await source("arxiv_search:id").read(DAY, now=NOW)
    unknown = json.loads(recordings("arxiv", "api_query_unknown_id.json")[0].read_text("utf-8"))
    httpserver.expect_ordered_request("/api/query").respond_with_data(unknown["body"])
    assert not (await source("arxiv_search:id").read(DAY, now=NOW)).entries


async def test_recorded_stories_hold_no_papers(source: Build, httpserver: HTTPServer) -> None:
    (path,) = recordings("hn_algolia_scout.json")
    httpserver.expect_request("/api/v1/search_by_date").respond_with_data(path.read_bytes())
    page = await source("hackernews").read(DAY, now=NOW)
    assert (page.entries, page.skipped) == ((), ())
