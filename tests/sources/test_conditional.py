from __future__ import annotations

import os
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from newsletter.sources.http.client import HttpClient
from newsletter.sources.reading.document import HttpError
from tests.sources.conftest import MakeHttp
from tests.sources.json_values import get_json


class Versioned:
    """Serves a body by its version, as an ETag or a date."""

    def __init__(self, header: str, version: str) -> None:
        self.header, self.version, self.body = header, version, "[1]"
        self.asked: list[str | None] = []

    def __call__(self, request: Request) -> Response:
        condition = "If-None-Match" if self.header == "ETag" else "If-Modified-Since"
        self.asked.append(request.headers.get(condition))
        if self.asked[-1] == self.version:
            return Response(status=304)
        return Response(self.body, headers={self.header: self.version})


@pytest.fixture(
    params=[("ETag", 'W/"a"'), ("Last-Modified", "Wed, 11 Mar 2026 08:00:00 GMT")], ids=lambda pair: pair[0]
)
def versioned(request: pytest.FixtureRequest, httpserver: HTTPServer) -> Versioned:
    handler = Versioned(*request.param)
    httpserver.expect_request("/").respond_with_handler(handler)
    return handler


def answers_in(folder: Path) -> list[Path]:
    return list(folder.rglob("*.answer"))


async def test_what_did_not_change_is_not_sent_again(
    versioned: Versioned, make_http: MakeHttp, httpserver: HTTPServer, tmp_path: Path
) -> None:
    for _ in range(2):  # a new client: what was kept outlives the process
        client = make_http(state=tmp_path)
        assert await get_json(client, httpserver.url_for("/")) == [1]
    assert versioned.asked == [None, versioned.version]


async def test_what_did_change_is_read_anew(
    versioned: Versioned, http: HttpClient, httpserver: HTTPServer
) -> None:
    await get_json(http, httpserver.url_for("/"))
    first, versioned.version, versioned.body = versioned.version, "Thu, 12 Mar 2026 08:00:00 GMT", "[2]"
    assert await get_json(http, httpserver.url_for("/")) == [2]
    assert await get_json(http, httpserver.url_for("/")) == [2]
    assert versioned.asked == [None, first, versioned.version]


async def test_each_query_has_its_own_version(
    versioned: Versioned, http: HttpClient, httpserver: HTTPServer
) -> None:
    for page in "01":
        await get_json(http, httpserver.url_for("/"), {"p": page})
    assert versioned.asked == [None, None]


async def test_nothing_is_kept_without_a_state_folder(
    versioned: Versioned, make_http: MakeHttp, httpserver: HTTPServer
) -> None:
    client = make_http()
    for _ in range(2):
        await get_json(client, httpserver.url_for("/"))
    assert versioned.asked == [None, None]


async def test_a_kept_answer_that_got_damaged_is_asked_for_again(
    versioned: Versioned, http: HttpClient, httpserver: HTTPServer, tmp_path: Path
) -> None:
    await get_json(http, httpserver.url_for("/"))
    (kept,) = answers_in(tmp_path)
    head = kept.read_bytes().partition(b"\n")[0]
    for damage in (head + b"\n[1", b"{}", b"\xff"):
        kept.write_bytes(damage)
        assert await get_json(http, httpserver.url_for("/")) == [1]
    assert kept.read_bytes().endswith(b"\n[1]")


async def test_bad_answers_are_not_kept(
    versioned: Versioned, make_http: MakeHttp, httpserver: HTTPServer, tmp_path: Path
) -> None:
    versioned.body = "<html>"
    with pytest.raises(HttpError):
        await get_json(make_http(state=tmp_path), httpserver.url_for("/"))
    assert not answers_in(tmp_path)


async def test_a_state_folder_that_cannot_be_written_costs_only_the_keeping(
    versioned: Versioned, make_http: MakeHttp, httpserver: HTTPServer, tmp_path: Path
) -> None:
    (tmp_path / "http").write_text("a file where the folder should be")
    client = make_http(state=tmp_path)
    assert await get_json(client, httpserver.url_for("/")) == [1]


async def test_answers_older_than_a_month_are_let_go(
    versioned: Versioned, http: HttpClient, httpserver: HTTPServer, tmp_path: Path
) -> None:
    folder = tmp_path / "state" / "http"
    folder.mkdir(parents=True)
    old, young = folder / "old.answer", folder / "young.answer"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    await get_json(http, httpserver.url_for("/"))
    assert young.exists()
    assert not old.exists()
