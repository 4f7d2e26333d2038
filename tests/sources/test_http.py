from __future__ import annotations

import gzip
import os
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.sources.http.client import HttpClient
from newsletter.sources.reading.document import Document, HttpError
from newsletter.sources.reading.json_text import read_json
from tests.sources.conftest import MakeHttp, RawServer
from tests.sources.json_values import get_json


def itself(document: Document) -> list[str]:
    return [document.content.decode(), document.url, document.charset]


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n42"
SHORT = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\n[1,"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\n[1,"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 22\r\nConnection: close\r\n\r\n<!doctype html><p>Down"
NOT_GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n42"


def answer(status: int, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} x", "Content-Length: 0", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


PASSING = {
    "429": answer(429),
    "408": answer(408),
    "500": answer(500),
    "503": answer(503),
    "truncated": SHORT,
    "truncated chunk": CHUNKED,
    "html": PAGE,
    "garbled": NOT_GZIP,
    "reset": None,
    "silence": b"...",
}


@pytest.mark.parametrize(
    "raw_server", [[fault, fault, OK] for fault in PASSING.values()], ids=PASSING, indirect=True
)
async def test_what_passes_is_tried_again_with_growing_waits(
    raw_server: RawServer, make_http: MakeHttp, waits: list[float]
) -> None:
    assert await get_json(make_http(timeout=0.2), raw_server.url) == 42
    assert len(raw_server.requests) == 3
    assert 0.5 <= waits[0] <= 1.0 <= waits[1] <= 2.0


@pytest.mark.parametrize("raw_server", [[fault] * 3 for fault in PASSING.values()], ids=PASSING, indirect=True)
async def test_what_stays_is_one_line_with_source_host_reason_and_tries(
    raw_server: RawServer, make_http: MakeHttp
) -> None:
    with pytest.raises(HttpError, match=r"\Atest: 127\.0\.0\.1:\d+: .+ \(tried 3 times\)\Z"):
        await get_json(make_http(timeout=0.2, retries=2), raw_server.url)


async def test_a_dead_host_is_one_line(make_http: MakeHttp, unused_url: str) -> None:
    with pytest.raises(
        HttpError, match=r"\Atest: 127\.0\.0\.1:\d+: no answer: .*connection.* \(tried 5 times\)\Z"
    ):
        await get_json(make_http(), unused_url)


@pytest.mark.parametrize("raw_server", [[answer(404)], [answer(400)], [answer(301)]], ids=str, indirect=True)
async def test_what_will_not_pass_is_not_tried_again(raw_server: RawServer, http: HttpClient) -> None:
    with pytest.raises(HttpError, match=r"answered \d+\Z") as raised:
        await get_json(http, raw_server.url)
    assert raised.value.status in {301, 400, 404}
    assert len(raw_server.requests) == 1


async def test_a_refusal_keeps_the_start_of_its_body(http: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"date is in the future" + b" " * 5000, status=400)
    with pytest.raises(HttpError) as raised:
        await get_json(http, httpserver.url_for("/"))
    assert raised.value.body.startswith(b"date is in the future")
    assert len(raised.value.body) == 2000


@pytest.mark.parametrize(
    ("raw_server", "wait"),
    [
        ([answer(429, "Retry-After: 7"), OK], 7.0),
        ([answer(503, "Retry-After: 300"), OK], 300.0),
        ([answer(429, 'RateLimit: "api";r=0;t=55'), OK], 55.0),
    ],
    ids=["seconds", "minutes", "rate limit"],
    indirect=["raw_server"],
)
async def test_a_server_that_names_a_wait_gets_it(
    raw_server: RawServer, wait: float, http: HttpClient, waits: list[float]
) -> None:
    assert await get_json(http, raw_server.url) == 42
    assert waits == [wait]


@pytest.mark.parametrize("asked", ["86400", "Fri, 31 Dec 2100 23:59:59 GMT"])
async def test_a_wait_of_more_than_minutes_is_left_to_the_next_run(
    asked: str, http: HttpClient, httpserver: HTTPServer, waits: list[float]
) -> None:
    httpserver.expect_request("/").respond_with_data(status=503, headers={"Retry-After": asked})
    with pytest.raises(HttpError, match=r"answered 503 and asks to wait [\d,]+ s\Z"):
        await get_json(http, httpserver.url_for("/"))
    assert not waits


async def test_a_date_to_wait_for_is_waited_for(
    http: HttpClient, httpserver: HTTPServer, waits: list[float]
) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=200), usegmt=True)
    httpserver.expect_ordered_request("/").respond_with_data(status=503, headers={"Retry-After": soon})
    httpserver.expect_ordered_request("/").respond_with_json(42)
    assert await get_json(http, httpserver.url_for("/")) == 42
    assert 100 < waits[0] <= 200


async def test_a_rate_limit_that_is_not_reached_asks_for_no_wait(
    http: HttpClient, httpserver: HTTPServer, waits: list[float]
) -> None:
    limit = {"RateLimit": '"api";r=480;t=250'}
    httpserver.expect_ordered_request("/").respond_with_data(status=500, headers=limit)
    httpserver.expect_ordered_request("/").respond_with_json(42)
    assert await get_json(http, httpserver.url_for("/")) == 42
    assert waits[0] <= 1.0


@pytest.mark.parametrize(
    "asked",
    [
        "soon",
        "-5",
        "Fri, 31 Dec 1999 23:59:59 GMT",
        "99999999999999999999 Jan",
        "Mon, 01 Jan 99999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2026 00:00:00 -99999",
        "Fri, 31 Dec 0001 00:00:00 +2300",
        "1e9",
        "",
    ],
)
async def test_a_wait_that_means_nothing_is_ours_to_choose(
    asked: str, http: HttpClient, httpserver: HTTPServer, waits: list[float]
) -> None:
    httpserver.expect_ordered_request("/").respond_with_data(status=503, headers={"Retry-After": asked})
    httpserver.expect_ordered_request("/").respond_with_json(42)
    assert await get_json(http, httpserver.url_for("/")) == 42
    assert 0.5 <= waits[0] <= 1.0


async def test_we_say_who_asks_and_what(http: HttpClient, httpserver: HTTPServer) -> None:
    def echo(request: Request) -> Response:
        return Response(f'["{request.user_agent.string}", "{request.query_string.decode()}"]')

    httpserver.expect_request("/q").respond_with_handler(echo)
    agent, query = await get_json(http, httpserver.url_for("/q?a=1"), {"b": "x y"})
    assert agent == "newsletter tests"
    assert query == "a=1&b=x+y"


async def test_an_answer_past_the_size_limit_is_given_up(make_http: MakeHttp, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"[" + b"1," * 1000 + b"1]")
    with pytest.raises(HttpError, match=r"larger than 1,000 bytes\Z"):
        await get_json(make_http(max_bytes=1000), httpserver.url_for("/"))


async def test_redirects_are_followed_but_not_forever(http: HttpClient, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/old").respond_with_data(status=302, headers={"Location": "/new"})
    httpserver.expect_request("/new").respond_with_json(42)
    httpserver.expect_request("/loop").respond_with_data(status=302, headers={"Location": "/loop"})
    assert await get_json(http, httpserver.url_for("/old")) == 42
    with pytest.raises(HttpError, match="more than 4 redirects"):
        await get_json(http, httpserver.url_for("/loop"))


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "data:,x",
        "javascript:alert(1)",
        "mailto:ada@example.org",
        "http://xn--/",
        "http://xn--a-.example/",
        "http://example.org:port/",
        "http://[::1/",
        "https://",
        "http://exa mple/",
        "http://" + "a" * 7000 + "/",
        "//",
        "\x7f",
    ],
)
async def test_a_redirect_to_no_web_address_is_one_line(
    location: str, make_http: MakeHttp, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/").respond_with_data(status=302, headers={"Location": location})
    http = make_http(retries=0)
    with pytest.raises(HttpError, match=r"\Atest: [^\n]+\Z"):
        await get_json(http, httpserver.url_for("/"))
    assert await http.problem(httpserver.url_for("/"), public_only=False)


async def test_a_document_comes_from_where_redirects_end_and_keeps_its_charset(
    http: HttpClient, httpserver: HTTPServer
) -> None:
    def answer(request: Request) -> Response:
        if request.headers.get("If-None-Match"):
            return Response(status=304)
        return Response(b"x", content_type="text/xml; charset=koi8-r", headers={"ETag": '"1"'})

    httpserver.expect_request("/old").respond_with_data(status=301, headers={"Location": "/new?a=1"})
    httpserver.expect_request("/new").respond_with_handler(answer)
    for _ in range(2):  # the second time it did not change
        document = await http.get(httpserver.url_for("/old"), itself, source="test")
        assert document == ["x", httpserver.url_for("/new?a=1"), "koi8-r"]


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip, gzip, gzip"])
async def test_a_coding_that_was_not_asked_for_is_not_asked_for_again(
    coding: str, http: HttpClient, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/").respond_with_data(b"x", headers={"Content-Encoding": coding})
    with pytest.raises(HttpError, match=r"\Atest: [^\n]+ packed [^\n]+\Z"):
        await get_json(http, httpserver.url_for("/"))
    assert len(httpserver.log) == 1
    assert httpserver.log[0][0].headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
async def test_a_packed_answer_is_unpacked(coding: str, http: HttpClient, httpserver: HTTPServer) -> None:
    body = b"[1, 2]"
    for _ in coding.split(", "):
        body = gzip.compress(body)
    httpserver.expect_request("/").respond_with_data(body, headers={"Content-Encoding": coding})
    assert await get_json(http, httpserver.url_for("/")) == [1, 2]


async def test_json_that_is_nested_too_deeply_is_one_line(make_http: MakeHttp, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data(b"[" * 100_000 + b"]" * 100_000)
    with pytest.raises(HttpError, match=r"\Atest: [^\n]+ nested too deeply\Z"):
        await get_json(make_http(retries=0), httpserver.url_for("/"))


async def test_an_address_that_is_none_is_told(http: HttpClient) -> None:
    with pytest.raises(HttpError, match="not a web address"):
        await get_json(http, "http://exa mple.org:port/")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'["\xff"]', ["\ufffd"]),
        (b"[1, " + b"9" * 6000 + b", -12]", [1, None, -12]),
    ],
    ids=["byte order mark", "not UTF-8", "endless number"],
)
def test_odd_json_costs_no_more_than_the_odd_value(body: bytes, value: object) -> None:
    assert read_json(body) == value


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1,", b"[" * 100_000])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|web page"):
        read_json(body)


@pytest.mark.parametrize("raw_server", [[OK] * 4], ids=["ok"], indirect=True)
async def test_trusted_certificates_are_read_once_and_again_where_the_environment_names_others(
    raw_server: RawServer, make_http: MakeHttp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    read: list[Path] = []
    of_library = httpx2.create_ssl_context

    def watched(**options: Any) -> ssl.SSLContext:
        read.append(Path(os.environ["SSL_CERT_DIR"]))
        return of_library(**options)

    monkeypatch.setattr(httpx2, "create_ssl_context", watched)
    for folder in (tmp_path / "one", tmp_path / "other"):
        folder.mkdir()
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        assert [await get_json(make_http(), raw_server.url) for _ in range(2)] == [42, 42]
    assert read == [tmp_path / "one", tmp_path / "other"]
