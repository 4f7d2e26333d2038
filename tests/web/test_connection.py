"""What one visitor can take of the server: bounded in time, size and number, with real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from newsletter.web.guard import Guard
from newsletter.web.limits import Limits
from newsletter.web.server import serving

QUICK = Limits(
    connections=20, idle=0.3, head=0.5, body=0.5, answer=0.6, requests=5, head_bytes=4096, per_client=20
)
LONG = 20_000_000  # bytes; more than the buffers of both ends take
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("done")


async def long(_: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * LONG)


async def slow(_: Request) -> PlainTextResponse:
    await asyncio.sleep(60)
    return PlainTextResponse("late")


async def post(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def refuse(_: Request) -> PlainTextResponse:
    return PlainTextResponse("no", 413)


APP = Guard(
    Starlette(
        routes=[
            Route("/", page),
            Route("/long", long),
            Route("/slow", slow),
            Route("/post", post, methods=["POST"]),
            Route("/refuse", refuse, methods=["POST"]),
        ]
    ),
    headers={},
)


@asynccontextmanager
async def port(limits: Limits = QUICK) -> AsyncIterator[int]:
    async with serving(APP, "127.0.0.1", 0, limits=limits) as url:
        yield int(url.rpartition(":")[2])


class Visitor:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, port: int, sent: bytes = b"") -> Visitor:
        visitor = cls(*await asyncio.open_connection("127.0.0.1", port))
        if sent:
            visitor.writer.write(sent)
        return visitor

    async def answers(self, seconds: float = 5) -> bytes:
        """Return all that comes until the server closes the connection, which it has to."""
        got = b""
        try:
            async with asyncio.timeout(seconds):
                while part := await self.reader.read(65_536):
                    got += part
        except ConnectionError:
            pass
        finally:
            self.writer.close()
        return got

    async def trickle(self, part: bytes, every: float = 0.05) -> None:
        """Send the same bytes again and again until the server has enough."""
        try:
            while not self.reader.at_eof():
                self.writer.write(part)
                await self.writer.drain()
                await asyncio.sleep(every)
        except ConnectionError:
            pass


@pytest.mark.parametrize("said", [b"", b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_half_a_request_is_closed_in_time(said: bytes) -> None:
    async with port() as at:
        began = monotonic()
        answer = await (await Visitor.at(at, said)).answers()
        assert 0.4 < monotonic() - began < 2
        assert answer.startswith(b"HTTP/1.1 408 ") is bool(said)


@pytest.mark.parametrize(
    ("said", "trickled"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a: b\r\n"),
        (b"GET /", b"x"),
        (b"", b"\r\n"),
        (b"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"x"),
        (b"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"POST /refuse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n", b"x" * 10_000),
    ],
)
async def test_a_trickle_of_bytes_winds_up_no_clock(said: bytes, trickled: bytes) -> None:
    async with port() as at:
        visitor = await Visitor.at(at, said)
        trickling = asyncio.create_task(visitor.trickle(trickled))
        began = monotonic()
        await visitor.answers()
        assert monotonic() - began < 4
        trickling.cancel()


async def test_who_leaves_in_mid_body_is_no_defect() -> None:
    with capture_logs() as logs:
        async with port() as at:
            await (await Visitor.at(at, b"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")).answers()
    assert [line["event"] for line in logs] == ["visitor_left", "connections_closed_early"]


async def test_an_answer_that_nobody_takes_is_thrown_away_in_time() -> None:
    async with port() as at:
        for request in (
            GET.replace(b"/ ", b"/long "),
            b"GET /long HTTP/1.0\r\n\r\n",
            b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            GET.replace(b"/ ", b"/long ") * 5,
        ):
            visitor = await Visitor.at(at, request)
            await asyncio.sleep(1.2)  # takes nothing
            assert len(await visitor.answers()) < LONG


async def test_a_reader_who_takes_an_answer_slowly_but_surely_gets_it_all() -> None:
    async with port(replace(QUICK, answer=5)) as at:
        visitor = await Visitor.at(at, b"GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = b""
        while part := await visitor.reader.read(1_000_000):
            got += part
            await asyncio.sleep(0.02)
        assert got.endswith(b"x" * LONG)
        visitor.writer.close()


async def test_an_answer_that_takes_too_long_to_make_is_broken_off() -> None:
    async with port() as at:
        began = monotonic()
        assert await (await Visitor.at(at, GET.replace(b"/ ", b"/slow "))).answers() == b""
        assert 0.5 < monotonic() - began < 2


async def test_between_two_requests_little_time_passes() -> None:
    async with port() as at:
        visitor = await Visitor.at(at, GET)
        began = monotonic()
        answer = await visitor.answers()
        assert 0.2 < monotonic() - began < 2
        assert answer.count(b"HTTP/1.1 ") == 1


async def test_the_next_request_may_begin_late_but_must_then_be_whole_in_time() -> None:
    async with port() as at:
        visitor = await Visitor.at(at, GET)
        await asyncio.sleep(0.1)
        visitor.writer.write(b"GET / HT")
        await asyncio.sleep(0.1)
        visitor.writer.write(b"TP/1.1\r\nHost: x\r\n\r\nGET")
        answer = await visitor.answers()
        assert answer.count(b"HTTP/1.1 200 ") == 2
        assert answer.count(b"HTTP/1.1 408 ") == 1


@pytest.mark.parametrize("together", [True, False], ids=["pipelined", "one by one"])
async def test_one_connection_serves_so_many_requests_in_order_and_no_more(together: bool) -> None:
    async with port() as at:
        visitor = await Visitor.at(at)
        answer = b""
        for _ in range(QUICK.requests if not together else QUICK.requests + 3):
            visitor.writer.write(GET)
            if not together:
                answer += await visitor.reader.readuntil(b"done")
        answer += await visitor.answers()
        assert answer.count(b"HTTP/1.1 200 ") == QUICK.requests == answer.count(b"done")


async def test_http_1_0_is_answered_and_closed() -> None:
    async with port() as at:
        assert (await (await Visitor.at(at, b"GET / HTTP/1.0\r\n\r\n")).answers()).endswith(b"done")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"x" * 10_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 3000 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"x" * 100_000_0,
    ],
)
async def test_a_huge_head_is_refused_even_if_it_comes_at_once(head: bytes) -> None:
    async with port() as at:
        answer = await (await Visitor.at(at, head)).answers()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{at}/")).text == "done"


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nxxxxxx",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        bytes(range(256)) * 50,
        b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_harms_nobody(nonsense: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with port() as at:
        await (await Visitor.at(at, nonsense)).answers()
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{at}/")).text == "done"
    assert caplog.text == ""


async def test_newcomers_are_answered_while_others_only_hold_connections() -> None:
    with capture_logs() as logs:
        async with port(replace(QUICK, head=30, idle=30)) as at:
            silent = [await Visitor.at(at, b"GET / HTTP/1.1\r\n") for _ in range(60)]
            async with httpx2.AsyncClient(trust_env=False) as client:
                for _ in range(5):
                    assert (await client.get(f"http://127.0.0.1:{at}/")).text == "done"
            gone = [visitor for visitor in silent if visitor.reader.at_eof() or visitor.reader.exception()]
            assert len(gone) >= 60 - QUICK.connections
            for visitor in silent:
                visitor.writer.close()
    [closed] = [line for line in logs if line["event"] == "connections_closed_early"]
    assert closed["too_many"] >= 60 - QUICK.connections


async def test_when_all_are_being_answered_a_newcomer_is_told_to_come_back() -> None:
    async with port(replace(QUICK, connections=3, answer=30)) as at:
        busy = [await Visitor.at(at, GET.replace(b"/ ", b"/slow ")) for _ in range(3)]
        await asyncio.sleep(0.2)
        answer = await (await Visitor.at(at, GET)).answers()
        assert answer == b"" or answer.startswith(b"HTTP/1.1 503 ")
        for visitor in busy:
            visitor.writer.close()
        await asyncio.sleep(0.1)
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{at}/")).text == "done"


async def test_answers_that_nobody_takes_keep_nobody_out() -> None:
    async with port(replace(QUICK, connections=3, answer=30)) as at:
        idle = [await Visitor.at(at, GET.replace(b"/ ", b"/long ")) for _ in range(3)]
        await asyncio.sleep(0.3)
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{at}/")).text == "done"
        for visitor in idle:
            visitor.writer.close()


@pytest.mark.parametrize("path", [b"/slow", b"/long", b"/post", b""])
async def test_the_end_comes_in_time_whatever_visitors_are_at(path: bytes) -> None:
    method = b"POST" if path == b"/post" else b"GET"
    request = (
        method + b" " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: " + (b"9" if path == b"/post" else b"0")
    )
    async with port(Limits()) as at:
        held = [await Visitor.at(at, request + (b"\r\n\r\n" if path else b"")) for _ in range(40)]
        await asyncio.sleep(0.3)
        began = monotonic()
    assert monotonic() - began < 7
    for visitor in held:
        visitor.writer.close()


async def test_the_end_may_be_asked_for_while_the_context_lasts() -> None:
    stop = asyncio.Event()
    async with serving(APP, "127.0.0.1", 0, stop=stop) as url, httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.get(url)).text == "done"
        stop.set()
        await asyncio.sleep(0.5)
        with pytest.raises(httpx2.TransportError):
            await client.get(url)


async def test_a_page_that_is_cut_off_at_the_end_says_so_and_is_no_defect() -> None:
    answers: list[dict[str, object]] = []

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    scope: dict[str, object] = {"type": "http", "method": "GET", "headers": []}
    with capture_logs() as logs:
        await Guard(cut, headers={})(scope, None, send)  # type: ignore[arg-type]
    assert answers[0]["status"] == 503
    assert [(line["event"], line["log_level"]) for line in logs] == [("answered", "info")]


async def test_small_answers_do_not_wait_for_the_visitors_acknowledgement() -> None:
    async with port(replace(QUICK, requests=1000)) as at:
        visitor = await Visitor.at(at)
        times = []
        for _ in range(30):
            began = monotonic()
            visitor.writer.write(GET)
            await visitor.reader.readuntil(b"done")
            times.append(monotonic() - began)
        assert sorted(times)[len(times) // 2] < 0.035
        visitor.writer.close()
