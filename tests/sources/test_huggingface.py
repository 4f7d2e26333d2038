from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing, Skipped
from newsletter.sources.huggingface import read_paper
from newsletter.sources.reading.records import Record
from tests.sources.api import daily_paper, daily_paper_of_2024
from tests.sources.conftest import DAY, NOW, Build


def serve(httpserver: HTTPServer, records: Any, **query: str) -> None:
    httpserver.expect_request("/api/daily_papers", query_string=query or None).respond_with_json(records)


async def test_every_field_that_a_mail_could_use_is_kept(source: Build, httpserver: HTTPServer) -> None:
    serve(httpserver, [daily_paper()], date="2026-03-12", limit="100", p="0")
    (entry,) = (await source("huggingface").read(DAY, now=NOW)).entries
    assert entry.listing == Listing(
        title="Paper 1: Hard Wrapped",
        abstract="We wrap lines hard.",
        ai_summary="Lines are wrapped.",
        authors=("Ada Example", "Bo Beispiel"),
        published_on=date(2026, 3, 10),
        organization="Example Lab",
        keywords=("wrapping", "lines"),
        arxiv_id="2603.00001",
        url="https://huggingface.co/papers/2603.00001",
        pdf_url="https://arxiv.org/pdf/2603.00001",
        code_url="https://github.com/example/wrap",
        project_url="https://example.org/wrap",
        thumbnail_url="https://cdn.example.org/papers/2603.00001.png",
        media_urls=("https://cdn.example.org/clip.mp4", "https://cdn.example.org/shot.jpeg"),
        submitted_by="Sam Submitter",
        discussion_url="https://huggingface.co/papers/2603.00001#community",
    )
    sighting = entry.sighting
    assert (sighting.source, sighting.listed_on, sighting.seen_at, sighting.position) == (
        "huggingface",
        DAY,
        NOW,
        0,
    )
    assert (sighting.upvotes, sighting.comments, sighting.stars) == (99, 3, 42)


def test_records_of_2024_are_read() -> None:
    seen = read_paper(Record(daily_paper_of_2024()))
    assert seen.listing.title == "Old Paper 1"
    assert seen.listing.abstract == "An old summary."
    assert seen.listing.thumbnail_url == "https://cdn.example.org/social/2405.png"
    assert (seen.upvotes, seen.comments, seen.stars) == (5, 0, None)


def test_the_organization_is_found_in_each_of_its_places() -> None:
    nowhere = daily_paper(organization=None)
    lab = {"name": "lab"}
    for record in (
        daily_paper(organization=lab),
        daily_paper(organization=None, paper__organization=lab),
        daily_paper(organization=None, submitterOrganization=lab),
    ):
        assert read_paper(Record(record)).listing.organization == "lab"
    assert read_paper(Record(nowhere)).listing.organization == ""


def test_a_video_is_no_thumbnail() -> None:
    record = daily_paper(
        thumbnail="https://cdn.example.org/clip.mp4", mediaUrls=["https://cdn.example.org/clip.mov"]
    )
    assert read_paper(Record(record)).listing.thumbnail_url == ""


def test_authors_of_one_name_count_twice() -> None:
    authors = [{"name": "Wei Wang"}, {"name": "Wei Wang"}, {"name": None}, "not an object"]
    assert read_paper(Record(daily_paper(paper__authors=authors))).listing.n_authors == 2


async def test_more_papers_than_a_page_holds_are_all_read(source: Build, httpserver: HTTPServer) -> None:
    records = [daily_paper(number) for number in range(230)]

    def answer(request: Request) -> Response:
        start = int(request.args["p"]) * int(request.args["limit"])
        # A vote between two requests moved a paper to the next page.
        return json_response(records[max(0, start - 1) : start + 100])

    httpserver.expect_request("/api/daily_papers").respond_with_handler(answer)
    page = await source("huggingface").read(DAY, now=NOW)
    assert [entry.listing.arxiv_id for entry in page.entries] == [f"2603.{number:05d}" for number in range(230)]
    assert [entry.sighting.position for entry in page.entries] == list(range(230))


async def test_a_server_that_repeats_one_page_forever_is_left(source: Build, httpserver: HTTPServer) -> None:
    serve(httpserver, [daily_paper(number) for number in range(100)])
    assert len((await source("huggingface").read(DAY, now=NOW)).entries) == 100
    assert len(httpserver.log) == 20


async def test_a_weekend_is_an_empty_page(source: Build, httpserver: HTTPServer) -> None:
    serve(httpserver, [])
    page = await source("huggingface").read(DAY, now=NOW)
    assert (page.entries, page.skipped) == ((), ())


async def test_odd_records_are_skipped_with_a_reason_and_the_rest_goes_on(
    source: Build, httpserver: HTTPServer
) -> None:
    odd = [
        None,
        {},
        {"paper": {"id": "2603.1"}},
        daily_paper(2, paper__id="not-arxiv"),
        daily_paper(2, paper__id=5),
    ]
    serve(httpserver, [daily_paper(1), *odd, daily_paper(3)])
    page = await source("huggingface").read(DAY, now=NOW)
    assert [entry.listing.arxiv_id for entry in page.entries] == ["2603.00001", "2603.00003"]
    assert page.skipped[0] == Skipped(what="record 2", reason="not an object")
    assert [entry.reason for entry in page.skipped[1:]] == [
        "not an object",
        "no title",
        "no arXiv id: 'Paper 2: Hard Wrapped'",
        "no arXiv id: 'Paper 2: Hard Wrapped'",
    ]


async def test_a_day_to_come_is_an_empty_page_and_no_error(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/daily_papers").respond_with_json({"error": "Invalid date"}, status=400)
    for day in (DAY, DAY + timedelta(days=1)):
        assert not (await source("huggingface").read(day, now=NOW)).entries


async def test_a_past_day_that_is_refused_is_an_error(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/daily_papers").respond_with_json({"error": "Invalid date"}, status=400)
    with pytest.raises(SourceError, match=r"\Ahuggingface: 127\.0\.0\.1:\d+: answered 400\Z"):
        await source("huggingface").read(DAY - timedelta(days=1), now=NOW)


async def test_what_is_no_list_is_asked_for_again(
    source: Build, httpserver: HTTPServer, waits: list[float]
) -> None:
    httpserver.expect_ordered_request("/api/daily_papers").respond_with_json({"error": "busy"})
    httpserver.expect_ordered_request("/api/daily_papers").respond_with_json([daily_paper()])
    assert len((await source("huggingface").read(DAY, now=NOW)).entries) == 1
    assert len(waits) == 1


@pytest.mark.parametrize(("period", "value"), [("week", "2026-W11"), ("month", "2026-03")])
async def test_weeks_and_months_are_read_as_they_stand(
    period: str, value: str, source: Build, httpserver: HTTPServer
) -> None:
    serve(httpserver, [daily_paper()], **{period: value, "limit": "100", "p": "0"})
    (entry,) = (await source(f"huggingface:{period}").read(DAY, now=NOW)).entries
    assert (entry.sighting.source, entry.sighting.listed_on) == (f"huggingface:{period}", DAY)


def json_response(value: Any) -> Response:
    return Response(json.dumps(value), mimetype="application/json")
