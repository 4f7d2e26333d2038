"""Asking whether there is something at an address, without reading it."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.sources.http.client import HttpClient
from tests.sources.conftest import MakeHttp


async def asked(http: HttpClient, server: HTTPServer) -> tuple[str, list[str]]:
    """Return what is wrong with the page, and how it was asked for."""
    problem = await http.problem(server.url_for("/page"), public_only=False)
    return problem, [request.method for request, _ in server.log]


async def test_a_page_that_is_there_is_asked_for_once(http: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data("here")
    assert await asked(http, httpserver) == ("", ["HEAD"])


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_what_is_not_for_us_is_there(status: int, http: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data(status=status)
    assert await asked(http, httpserver) == ("", ["HEAD"])


@pytest.mark.parametrize("status", [404, 410, 500])
async def test_what_is_gone_or_broken_is_named(status: int, http: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data(status=status)
    assert await asked(http, httpserver) == (f"answered {status}", ["HEAD", "GET"])


async def test_a_server_that_knows_no_head_is_asked_again(http: HttpClient, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        return Response(status=405 if request.method == "HEAD" else 200)

    httpserver.expect_request("/page").respond_with_handler(answer)
    assert await asked(http, httpserver) == ("", ["HEAD", "GET"])


async def test_a_redirect_is_followed_to_its_end(http: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/page").respond_with_data(status=302, headers={"Location": "/moved"})
    httpserver.expect_request("/moved").respond_with_data(status=404)
    assert (await asked(http, httpserver))[0] == "answered 404"


async def test_a_large_answer_is_not_read(make_http: MakeHttp, httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        return Response("x" * 1000, status=501 if request.method == "HEAD" else 200)

    httpserver.expect_request("/page").respond_with_handler(answer)
    assert (await asked(make_http(max_bytes=10), httpserver))[0] == ""


async def test_a_server_that_is_not_there_is_named(http: HttpClient) -> None:
    assert (await http.problem("http://127.0.0.1:9/page", public_only=False)).startswith("no answer: ")
    assert (await http.problem("http://[::1/page", public_only=False)).startswith("not a web address: ")


async def test_addresses_that_are_not_public_are_not_asked(http: HttpClient, httpserver: HTTPServer) -> None:
    problem = await http.problem(httpserver.url_for("/page"), public_only=True)
    assert "127.0.0.1, which is not a public address" in problem
    assert not httpserver.log
