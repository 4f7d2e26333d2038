"""Papers of arXiv by their ids: found, unknown, and ids that the API refuses."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.core.errors import SourceError
from newsletter.sources.arxiv_papers import ArxivPapers
from newsletter.sources.http.client import HttpClient
from tests.sources.feeds import found, refused, results


@pytest.fixture
def papers(http: HttpClient, httpserver: HTTPServer) -> ArxivPapers:
    return ArxivPapers(http, httpserver.url_for(""))


async def test_each_paper_is_found_by_its_id_fifty_to_a_request(
    papers: ArxivPapers, httpserver: HTTPServer
) -> None:
    def answer(request: Request) -> Response:
        numbers = [int(one.partition(".")[2]) for one in request.args["id_list"].split(",")]
        assert len(numbers) <= int(request.args["max_results"]) <= 50
        return Response(results(*(found(number) for number in numbers if number != 7)))

    httpserver.expect_request("/api/query").respond_with_handler(answer)
    ids = [f"2603.{number:05}" for number in range(1, 61)]
    listings = await papers.find(ids)
    assert {one: paper and paper.arxiv_id for one, paper in listings.items()} == {
        one: None if one == "2603.00007" else one for one in ids
    }
    assert len(httpserver.log) == 2
    assert await papers.find([]) == {}


async def test_an_id_that_is_refused_is_unknown_and_keeps_no_other_back(
    papers: ArxivPapers, httpserver: HTTPServer
) -> None:
    def answer(request: Request) -> Response:
        ids = request.args["id_list"].split(",")
        if "math/9999999" in ids:
            return Response(results(refused("incorrect id format for math/9999999")), status=400)
        return Response(results(*(found(int(one.partition(".")[2])) for one in ids)))

    httpserver.expect_request("/api/query").respond_with_handler(answer)
    listings = await papers.find(["2603.00001", "math/9999999", "2603.00002"])
    assert [bool(listings[one]) for one in ("2603.00001", "math/9999999", "2603.00002")] == [True, False, True]


async def test_nothing_is_said_of_papers_while_arxiv_cannot_be_asked(
    papers: ArxivPapers, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/api/query").respond_with_data("gone", status=410)
    with pytest.raises(SourceError, match="410"):
        await papers.find(["2603.00001"])
