"""Feeds that are made to do harm: the run ends in time, the other feeds' papers go out, a signal is heeded."""

from __future__ import annotations

import asyncio
import gzip
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.e2e.workplace import Workplace
from tests.sources.feeds import rss

RUN = ("run", "--date", "2026-03-12", "--json")
PAPER = "<item><title>Sparse Codes</title><link>https://example.org/1</link></item>"


def large() -> bytes:
    """Return a feed that takes some seconds to read, however it is read."""
    return rss("<item><title>A</title><description>B</description></item>" * 90_000).encode()


def long_author() -> bytes:
    return rss(f"<item><title>Long</title><author>{'a' * 400_000}</author></item>").encode()


def many_attributes() -> bytes:
    attributes = " ".join(f"a{number}='x'" for number in range(40_000))
    return rss(PAPER).replace("version=", f"{attributes} version=", 1).encode()


def bomb() -> bytes:
    return gzip.compress(gzip.compress(bytes(300 * 1024 * 1024), 1), 9)


@pytest.fixture(autouse=True)
def settings(workplace: Workplace) -> None:
    workplace.environment |= {"NEWSLETTER_HTTP__ALLOW_PRIVATE": "true", "NEWSLETTER_HTTP__RETRIES": "0"}


@pytest.mark.parametrize(
    ("body", "coding", "is_read"),
    [(long_author, "", True), (many_attributes, "", True), (bomb, "gzip, gzip", False), (bomb, "br", False)],
    ids=["long author", "many attributes", "packed twice", "packed in an unknown way"],
)
async def test_a_hostile_feed_costs_itself_at_most(
    body: Callable[[], bytes], coding: str, is_read: bool, workplace: Workplace, httpserver: HTTPServer
) -> None:
    headers = {"Content-Encoding": coding} if coding else {}
    httpserver.expect_request("/bad.xml").respond_with_data(body(), headers=headers)
    httpserver.expect_request("/good.xml").respond_with_data(rss(PAPER))
    workplace.list_file([f"feed:{httpserver.url_for(path)}" for path in ("/bad.xml", "/good.xml")])
    began = time.monotonic()
    done = await workplace.run(*RUN)
    assert time.monotonic() - began < 60  # some 3 on a quiet machine
    assert (done.code, done.json["status"]) == (0, "sent")
    assert [list(done.json.get("failures", {})), len(workplace.mails())] == [
        [] if is_read else [f"feed:{httpserver.url_for('/bad.xml')}"],
        1,
    ]
    assert "Sparse Codes" in str(workplace.mails()[0].get_body(("plain",)))


@pytest.mark.parametrize("command", [RUN, ("serve",)], ids=["run", "serve"])
async def test_a_signal_is_heeded_while_a_feed_is_read(
    command: tuple[str, ...], workplace: Workplace, httpserver: HTTPServer
) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()

    body = large()

    def answer(_: Request) -> Response:
        loop.call_soon_threadsafe(asked.set)
        return Response(body)

    httpserver.expect_request("/large.xml").respond_with_handler(answer)
    with socket.create_server(("127.0.0.1", 0)) as free:
        workplace.environment |= {"NEWSLETTER_WEB__PORT": str(free.getsockname()[1])}
    workplace.list_file([f"feed:{httpserver.url_for('/large.xml')}"], hour=f"{datetime.now(UTC):%H}:00")
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace('"fri"]', '"fri", "sat", "sun"]'))
    process = await workplace.start(*command)
    await asyncio.wait_for(asked.wait(), 20)
    await asyncio.sleep(0.7)  # it is there, and being read
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    done = await workplace.end(process)
    assert time.monotonic() - began < (2 if command == RUN else 10)
    assert done.code == (75 if command == RUN else 0)
    assert not workplace.mails()
