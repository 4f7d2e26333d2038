"""Looking at pictures on the web."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.core.errors import SourceError
from newsletter.core.figures import MOST_BYTES, PictureCheck
from newsletter.sources.http.client import HttpClient
from newsletter.sources.pictures import WebPictures
from tests.core.picture_files import GIF, MP4, jpeg, png
from tests.sources.conftest import MakeHttp, RawServer

PNG = png(1200, 600)
READ = 64 * 1024


@pytest.fixture
def pictures(make_http: MakeHttp) -> WebPictures:
    http = make_http()
    return WebPictures(lambda: http, public_only=False)


def partial_answer(body: bytes, total: str, *, kind: str = "image/png", status: int = 206) -> Response:
    headers = {"Content-Range": f"bytes 0-{len(body) - 1}/{total}"}
    return Response(body, status=status, content_type=kind, headers=headers)


async def look(pictures: WebPictures, server: HTTPServer, answer: Response) -> PictureCheck:
    server.expect_request("/picture").respond_with_response(answer)
    return await pictures.look(server.url_for("/picture"))


@pytest.mark.parametrize("body", [PNG, jpeg(1200, 600)], ids=["png", "jpeg"])
async def test_a_whole_small_picture_is_a_figure(
    body: bytes, pictures: WebPictures, httpserver: HTTPServer
) -> None:
    check = await look(pictures, httpserver, Response(body, content_type="image/any"))
    assert check.refusal == ""
    assert check.figure is not None
    assert (check.figure.width, check.figure.height, check.size) == (1200, 600, len(body))
    assert check.figure.url == httpserver.url_for("/picture")


async def test_a_server_is_asked_for_the_beginning_and_says_the_size_of_the_whole(
    pictures: WebPictures, httpserver: HTTPServer
) -> None:
    check = await look(pictures, httpserver, partial_answer(PNG[:500], "345678"))
    assert (check.size, check.refusal) == (345_678, "")
    request = httpserver.log[0][0]
    assert request.headers["Range"] == f"bytes=0-{READ - 1}"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["User-Agent"] == "newsletter tests"


async def test_a_server_that_sends_everything_is_left_after_the_beginning(
    pictures: WebPictures, httpserver: HTTPServer
) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for part in (PNG[:-12], *[b"\0" * 65536] * 10_000):
            sent += len(part)
            yield part

    size = len(PNG) - 12 + 65536 * 10_000
    answer = Response(body(), content_type="image/png", headers={"Content-Length": str(size)})
    check = await look(pictures, httpserver, answer)
    assert check.refusal == f"too large: {size:,} bytes"
    assert sent < 64 * 1024 * 1024  # what fits into the buffers of both systems, not the 655 MB


async def test_a_picture_whose_size_nobody_says_is_refused(pictures: WebPictures, httpserver: HTTPServer) -> None:
    check = await look(pictures, httpserver, partial_answer(PNG[:500], "*"))
    assert check.refusal == "its server does not say how many bytes it has"


async def test_a_long_body_of_unknown_length_is_refused(pictures: WebPictures, httpserver: HTTPServer) -> None:
    body = iter([PNG[:-12], b"\0" * (2 * READ)])
    check = await look(pictures, httpserver, Response(body, content_type="image/png"))
    assert check.refusal == "its server does not say how many bytes it has"


async def test_a_packed_picture_is_unpacked_and_its_length_not_believed(
    pictures: WebPictures, httpserver: HTTPServer
) -> None:
    body = gzip.compress(PNG[:-12] + b"\0" * (2 * READ))
    answer = Response(body, content_type="image/png", headers={"Content-Encoding": "gzip"})
    check = await look(pictures, httpserver, answer)
    assert check.refusal == "its server does not say how many bytes it has"
    assert check.picture is not None


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (Response(GIF, content_type="image/gif"), "a GIF, which may move"),
        (Response(MP4, content_type="video/mp4"), "served as 'video/mp4'"),
        (Response(MP4, content_type="application/octet-stream"), "a video"),
        (Response(PNG, content_type="text/html; charset=utf-8"), "served as 'text/html'"),
        (Response(b"<!doctype html>", content_type="image/png"), "a page in HTML or XML"),
        (Response(b"", content_type="image/png"), "no known kind of picture"),
        (Response(png(400, 300), content_type="image/png"), "too narrow: 400 by 300 pixels"),
        (partial_answer(PNG[:500], str(MOST_BYTES + 1)), "too large: 1,048,577 bytes"),
        (Response(b"gone", status=404), "answered 404"),
        (Response(b"not yours", status=403), "answered 403"),
        (Response(b"", status=416), "answered 416"),
        (Response(b"", status=304), "answered 304"),
        (
            Response(PNG, status=206, headers={"Content-Range": "bytes 100-9999/10000"}),
            "answered with another part of the file",
        ),
        (Response(PNG, status=206), "answered with another part of the file"),
        (Response(b"", status=302, headers={"Location": "ftp://example.org/a.png"}), "ftp://"),
    ],
)
async def test_what_is_no_figure_is_refused_with_the_reason(
    answer: Response, refusal: str, pictures: WebPictures, httpserver: HTTPServer
) -> None:
    check = await look(pictures, httpserver, answer)
    assert check.figure is None
    assert refusal in check.refusal
    assert "\n" not in check.refusal


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
async def test_what_may_pass_is_asked_for_once_and_left_for_another_time(
    status: int, pictures: WebPictures, httpserver: HTTPServer
) -> None:
    with pytest.raises(SourceError, match=f"answered {status}"):
        await look(pictures, httpserver, Response(b"", status=status))
    assert len(httpserver.log) == 1


async def test_a_server_that_is_not_there_is_left_for_another_time(pictures: WebPictures, unused_url: str) -> None:
    with pytest.raises(SourceError, match="no answer: "):
        await pictures.look(unused_url)


@pytest.mark.parametrize("raw_server", [[b"..."]], ids=["silence"], indirect=True)
async def test_a_slow_server_is_not_waited_for(raw_server: RawServer, make_http: MakeHttp) -> None:
    http = make_http(timeout=60)
    pictures = WebPictures(lambda: http, public_only=False, patience=0.2)
    with pytest.raises(SourceError, match=r"no answer within 0\.2 s"):
        await pictures.look(raw_server.url)
    assert len(raw_server.requests) == 1


async def test_a_server_that_sends_drop_by_drop_is_not_waited_for(
    make_http: MakeHttp, httpserver: HTTPServer
) -> None:
    stopped = threading.Event()

    def body() -> Iterator[bytes]:
        while not stopped.wait(0.02):
            yield b"\x89"

    http = make_http(timeout=60)
    pictures = WebPictures(lambda: http, public_only=False, patience=0.3)
    with pytest.raises(SourceError, match=r"no answer within 0\.3 s"):
        await look(pictures, httpserver, Response(body(), content_type="image/png"))
    stopped.set()


async def test_addresses_that_are_not_public_are_not_asked(http: HttpClient, httpserver: HTTPServer) -> None:
    check = await WebPictures(lambda: http, public_only=True).look(httpserver.url_for("/picture"))
    assert "127.0.0.1, which is not a public address" in check.refusal
    assert not httpserver.log


async def test_a_redirect_is_followed_and_the_address_stays(pictures: WebPictures, httpserver: HTTPServer) -> None:
    seen: list[str | None] = []

    def answer(request: Request) -> Response:
        seen.append(request.headers.get("Range"))
        return partial_answer(PNG[:500], "5000")

    httpserver.expect_request("/moved").respond_with_handler(answer)
    moved = Response(status=302, headers={"Location": httpserver.url_for("/moved")})
    check = await look(pictures, httpserver, moved)
    assert check.figure is not None
    assert check.figure.url == httpserver.url_for("/picture")
    assert seen == [f"bytes=0-{READ - 1}"]
