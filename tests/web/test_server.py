from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from newsletter.core.errors import ConfigurationError
from newsletter.web.guard import Guard
from newsletter.web.server import serving


class Slow:
    """Answers `/` when it is let, and says when it was asked."""

    def __init__(self) -> None:
        self.asked, self.answer = asyncio.Event(), asyncio.Event()
        self.app = Starlette(routes=[Route("/", self.page)])

    async def page(self, _: Request) -> PlainTextResponse:
        self.asked.set()
        await self.answer.wait()
        return PlainTextResponse("done")


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")])
async def test_a_free_port_is_taken_and_told(host: str, expected: str) -> None:
    slow = Slow()
    slow.answer.set()
    async with serving(slow.app, host, 0) as url, httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        assert url.startswith(f"http://{expected}:")
        assert (await client.get(url)).text == "done"


async def test_a_server_on_all_addresses_is_told_by_one_that_a_browser_can_open() -> None:
    async with serving(Slow().app, "0.0.0.0", 0) as url:  # noqa: S104 (that is the case)
        assert url.startswith("http://127.0.0.1:")


async def test_addresses_of_version_six_are_served_and_told_in_brackets() -> None:
    slow = Slow()
    slow.answer.set()
    async with serving(slow.app, "::1", 0) as url, httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        assert url.startswith("http://[::1]:")
        assert (await client.get(url)).text == "done"


async def test_it_listens_no_more_at_the_end() -> None:
    async with serving(Slow().app, "127.0.0.1", 0) as url:
        pass
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(url)


async def test_a_request_in_hand_is_answered_before_the_end() -> None:
    slow = Slow()
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        async with serving(slow.app, "127.0.0.1", 0) as url:
            request = asyncio.create_task(client.get(url))
            await asyncio.wait_for(slow.asked.wait(), 5)
            asyncio.get_running_loop().call_later(0.05, slow.answer.set)
        assert (await request).text == "done"


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [("127.0.0.1", 70_000, "no such port"), ("no-such-host.invalid", 0, "cannot listen there")],
)
async def test_where_nothing_can_listen_is_one_line_with_host_and_port(host: str, port: int, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{host}:{port}: .*{reason}.*$"):
        async with serving(Slow().app, host, port):
            pass


async def test_a_taken_port_is_one_line_with_host_and_port() -> None:
    async with serving(Slow().app, "127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2])
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port}.*in use"):
            async with serving(Slow().app, "127.0.0.1", port):
                pass


async def test_signals_and_logging_stay_ours() -> None:
    def state() -> tuple[object, ...]:
        root = logging.getLogger()
        return signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), list(root.handlers), root.level

    before = state()
    async with serving(Slow().app, "127.0.0.1", 0):
        assert state() == before


async def test_an_answer_that_breaks_half_way_is_broken_off() -> None:
    async def half(_: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            yield b"the first half"
            raise RuntimeError("a defect")

        return StreamingResponse(parts())

    app = Guard(Starlette(routes=[Route("/", half)]), headers={})
    async with serving(app, "127.0.0.1", 0) as url, httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        with capture_logs() as logs, pytest.raises(httpx2.RemoteProtocolError):
            await client.get(url)
    assert [line["event"] for line in logs] == ["page_failed"]


async def test_the_guard_passes_on_what_is_no_request_unchanged() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Guard(app, headers={"Cache-Control": "no-store"})({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.complete"}]
