from __future__ import annotations

from datetime import date

import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from newsletter.core.errors import SourceError
from newsletter.core.listing import Listing
from tests.sources.conftest import DAY, NOW, Build
from tests.sources.feeds import found, refused, results


async def test_what_was_found_is_read_whole(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/query").respond_with_data(results(found()))
    (entry,) = (await source('arxiv_search:cat:cs.AI OR abs:"a b"').read(DAY, now=NOW)).entries
    assert entry.listing == Listing(
        title="Found Paper 1 on Two Lines",
        abstract="We search, and find a < b.",
        authors=("Ada Example", "Bo Beispiel"),
        published_on=date(2026, 3, 9),
        categories=("hep-th", "cs.AI"),
        arxiv_id="2603.00001",
        doi="10.1000/XYZ.1",
        url="https://arxiv.org/abs/2603.00001",
        pdf_url="https://arxiv.org/pdf/2603.00001",
        code_url="https://github.com/example/found",
    )
    query = httpserver.log[0][0].args["search_query"]
    assert query == '(cat:cs.AI OR abs:"a b") AND submittedDate:[202603050000 TO 202603122359]'


async def test_more_than_one_answer_holds_is_read_on(source: Build, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        start, size = int(request.args["start"]), int(request.args["max_results"])
        numbers = range(1, 631)[start : start + size]
        return Response(results(*map(found, numbers), total=630))

    httpserver.expect_request("/api/query").respond_with_handler(answer)
    page = await source("arxiv_search:all:a").read(DAY, now=NOW)
    assert [entry.listing.arxiv_id for entry in page.entries] == [f"2603.{number:05d}" for number in range(1, 631)]


@pytest.mark.parametrize("most", [1, 7, 400, 499])
async def test_answers_shorter_than_asked_are_read_on(most: int, source: Build, httpserver: HTTPServer) -> None:
    total = min(700, 5 * most)

    def answer(request: Request) -> Response:
        start = int(request.args["start"])
        numbers = range(1, total + 1)[start : start + most]
        return Response(results(*map(found, numbers), total=total))

    httpserver.expect_request("/api/query").respond_with_handler(answer)
    page = await source("arxiv_search:all:a").read(DAY, now=NOW)
    read = [entry.listing.arxiv_id for entry in page.entries]
    assert read == [f"2603.{number:05d}" for number in range(1, total + 1)]


async def test_results_that_are_counted_and_never_given_are_told(source: Build, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        return Response(results(*([] if int(request.args["start"]) else [found()]), total=9))

    httpserver.expect_request("/api/query").respond_with_handler(answer)
    with capture_logs() as logs:
        assert len((await source("arxiv_search:all:a").read(DAY, now=NOW)).entries) == 1
    assert [(log["event"], log["found"], log["read"]) for log in logs] == [("results_left_out", 9, 1)]


@pytest.mark.parametrize("most", [1, 50])
async def test_a_server_that_repeats_itself_is_asked_no_more(
    most: int, source: Build, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/query").respond_with_data(results(*map(found, range(1, most + 1)), total=1900))
    with capture_logs() as logs:
        page = await source("arxiv_search:all:a").read(DAY, now=NOW)
    assert [entry.listing.arxiv_id for entry in page.entries] == [
        f"2603.{number:05d}" for number in range(1, most + 1)
    ]
    assert len(httpserver.log) == 2
    assert [(log["event"], log["found"], log["read"]) for log in logs] == [("results_left_out", 1900, most)]


async def test_results_that_are_counted_but_not_given_are_asked_for_again(
    source: Build, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request("/api/query").respond_with_data(results(total=1))
    httpserver.expect_ordered_request("/api/query").respond_with_data(results(found()))
    assert len((await source("arxiv_search:all:a").read(DAY, now=NOW)).entries) == 1


async def test_what_is_too_much_is_left_out_and_told(source: Build, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        start = int(request.args["start"])
        return Response(results(*map(found, range(start, start + int(request.args["max_results"]))), total=9000))

    httpserver.expect_request("/api/query").respond_with_handler(answer)
    with capture_logs() as logs:
        assert len((await source("arxiv_search:all:a").read(DAY, now=NOW)).entries) == 2000
    assert [(log["event"], log["found"], log["read"]) for log in logs] == [("results_left_out", 9000, 2000)]


async def test_nothing_found_is_an_empty_page(source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/query").respond_with_data(results())
    assert not (await source("arxiv_search:all:a").read(DAY, now=NOW)).entries


@pytest.mark.parametrize("status", [200, 400])
async def test_a_query_that_is_not_understood_is_told(status: int, source: Build, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/query").respond_with_data(results(refused("bad field")), status=status)
    with pytest.raises(SourceError, match=r"\Aarxiv_search:x: arXiv does not understand the query: bad field\Z"):
        await source("arxiv_search:x").read(DAY, now=NOW)
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(("status", "body"), [(400, "no feed"), (404, results(refused("x")))])
async def test_other_refusals_stay_what_they_are(
    status: int, body: str, source: Build, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/query").respond_with_data(body, status=status)
    with pytest.raises(SourceError, match=rf"answered {status}\Z"):
        await source("arxiv_search:x").read(DAY, now=NOW)
