"""What tests of sources share: a client that never waits, a builder, servers on loopback."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol
from urllib.request import Request, urlopen

import pytest
from pytest_httpserver import HTTPServer

from newsletter.ports import Source
from newsletter.sources.http.client import HttpClient, HttpConfig
from newsletter.sources.parts import SourceConfig
from newsletter.sources.reading.parsing import Parser
from newsletter.sources.registry import build
from tests.services import shared

DAY = date(2026, 3, 12)
NOW = datetime(2026, 3, 12, 9, 30, tzinfo=UTC)


class Build(Protocol):
    def __call__(self, spec: str, *, folder: Path = ..., base: str = ..., allow_private: bool = ...) -> Source: ...


@pytest.fixture
def waits() -> list[float]:
    """Every wait that the client asked for, in seconds; none was waited."""
    return []


class MakeHttp(Protocol):
    def __call__(
        self, *, timeout: float = ..., retries: int = ..., max_bytes: int = ..., state: Path | None = ...
    ) -> HttpClient: ...


@pytest.fixture(scope="session")
def parser() -> Iterator[Parser]:
    """The process that reads documents: one for all tests of a session, as for all sources of a run."""
    shared_parser = Parser()
    yield shared_parser
    asyncio.run(shared_parser.aclose())


@pytest.fixture
async def make_http(waits: list[float], parser: Parser) -> AsyncIterator[MakeHttp]:
    """Make clients that note how long they would wait, and close them after the test."""
    clients: list[HttpClient] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    def make(
        *, timeout: float = 2.0, retries: int = 4, max_bytes: int = 1_000_000, state: Path | None = None
    ) -> HttpClient:
        config = HttpConfig(
            user_agent="newsletter tests", timeout=timeout, retries=retries, max_bytes=max_bytes, state=state
        )
        clients.append(HttpClient(config, sleep=sleep, parser=parser))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def http(make_http: MakeHttp, tmp_path: Path) -> HttpClient:
    return make_http(state=tmp_path / "state")


@pytest.fixture
def source(http: HttpClient, httpserver: HTTPServer) -> Build:
    """Build a source whose services all stand at the test's own server, or at `base`."""

    def make(
        spec: str, *, folder: Path = Path(), base: str = httpserver.url_for(""), allow_private: bool = True
    ) -> Source:
        config = SourceConfig(
            huggingface_url=base,
            arxiv_url=base,
            arxiv_rss_url=base,
            biorxiv_url=base,
            hackernews_url=base,
            allow_private=allow_private,
        )
        return build(spec, folder=folder, config=config, http=http)

    return make


class RawServer:
    """Answers each connection with the next of some byte strings, whatever HTTP thinks of them, and hangs up.

    None hangs up without a word; `...` never answers.
    """

    def __init__(self, answers: Sequence[bytes | None]) -> None:
        self._answers = iter(answers)
        self.requests: list[bytes] = []
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            answer = next(self._answers)
            if answer == b"...":
                await reader.read()  # until the client gives up
            else:
                writer.write(answer or b"")
                await writer.drain()
        writer.close()


@pytest.fixture
async def raw_server(request: pytest.FixtureRequest) -> AsyncIterator[RawServer]:
    handler = RawServer(request.param)
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    handler.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield handler


@pytest.fixture
def unused_url() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}/"


class Replay:
    """The recorded answers of real services, behind a clock that tests move and faults that they order."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def now(self, moment: str) -> None:
        self._post("/__now", moment)

    def fail(self, kind: str, times: int) -> None:
        self._post("/__fault", f"{kind} {times}")

    def _post(self, path: str, body: str) -> None:
        with urlopen(Request(self.url + path, body.encode(), method="POST")):  # noqa: S310  # our own URL
            pass


@pytest.fixture
def replay() -> Iterator[Replay]:
    command = [sys.executable, str(shared("replay", "serve.py")), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        announced = process.stderr.readline()
        try:
            yield Replay(int(announced.rsplit(":", 1)[1]))
        finally:
            process.terminate()
