from __future__ import annotations

import json

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing
from tests.sources.api import story
from tests.sources.conftest import DAY, NOW, Build

PATH = "/api/v1/search_by_date"


async def test_a_story_about_a_paper_brings_its_points_and_comments(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({"hits": [story()]})
    (entry,) = (await source("hackernews").read(DAY, now=NOW)).entries
    assert entry.listing == Listing(
        title="A Paper on Stories 1",
        arxiv_id="2603.00001",
        url="https://arxiv.org/abs/2603.00001",
        pdf_url="https://arxiv.org/pdf/2603.00001",
        submitted_by="ada",
        discussion_url="https://news.ycombinator.com/item?id=1",
    )
    assert (entry.sighting.upvotes, entry.sighting.comments, entry.sighting.listed_on) == (80, 12, DAY)


@pytest.mark.parametrize(("spec", "points"), [("hackernews", 5), ("hackernews:20", 20)])
async def test_the_stories_of_one_day_are_asked_for(
    spec: str, points: int, source: Build, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"hits": []})
    await source(spec).read(DAY, now=NOW)
    asked = httpserver.log[0][0].args
    assert asked["numericFilters"] == f"created_at_i>=1773273600,created_at_i<1773360000,points>={points}"
    assert asked["tags"] == "story"


async def test_stories_without_a_paper_are_left_out_odd_ones_skipped(
    source: Build, httpserver: HTTPServer
) -> None:
    hits = [
        story(1, url="https://example.org/blog"),
        story(2, url=None),
        None,
        story(3, title=None),
        story(4, url="https://www.biorxiv.org/content/10.1101/2026.03.01.123456v1.full", objectID=None),
        story(5, title="[pdf]"),
    ]
    httpserver.expect_request(PATH).respond_with_json({"hits": hits})
    page = await source("hackernews").read(DAY, now=NOW)
    first, second = (entry.listing for entry in page.entries)
    assert (first.doi, first.arxiv_id, first.discussion_url) == ("10.1101/2026.03.01.123456", "", "")
    assert second.title == "[pdf]"
    assert [entry.reason for entry in page.skipped] == ["no title"]


async def test_an_answer_without_hits_is_an_error(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATH).respond_with_json({"message": "down"})
    with pytest.raises(
        SourceError, match=r"\Ahackernews: 127\.0\.0\.1:\d+: .*no list of hits in it \(tried 5 times\)\Z"
    ):
        await source("hackernews").read(DAY, now=NOW)


async def test_answers_shorter_than_asked_are_read_on(source: Build, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        start = 2 * int(request.args["page"])
        return Response(json.dumps({"hits": [story(n) for n in range(1, 6)][start : start + 2], "nbPages": 3}))

    httpserver.expect_request(PATH).respond_with_handler(answer)
    page = await source("hackernews").read(DAY, now=NOW)
    assert [entry.listing.arxiv_id for entry in page.entries] == [f"2603.{number:05d}" for number in range(1, 6)]
