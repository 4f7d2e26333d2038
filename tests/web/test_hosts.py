"""Names of other sites, what browsers are told of https, bodies without end, and searching without end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from newsletter.web import headers
from newsletter.web.bodies import LimitedBodies
from newsletter.web.clients import Clients
from newsletter.web.guard import Guard
from newsletter.web.hosts import KnownHosts
from newsletter.web.pace import Paced


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def client_of(middleware: Middleware) -> httpx2.AsyncClient:
    routes = [Route("/{path:path}", echo, methods=["GET", "POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, headers={}), middleware])
    transport = httpx2.ASGITransport(app=app, client=("8.8.8.8", 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("papers.example.org", 200),
        ("PAPERS.example.org.:8443", 200),
        ("web:8000", 200),
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("192.0.2.7", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("papers.example.org.evil.example", 421),
        ("evil.example:80", 421),
        ("127.0.0.1.evil.example", 421),
        ("[not:an:address]", 400),
        ("evil.example/papers.example.org", 400),
        ("papers.example.org@evil.example", 400),
        ("papers.example.org, evil.example", 400),
        ("papers.example.org:99999999", 400),
        ("", 400),
    ],
)
async def test_only_what_is_asked_of_this_site_is_answered(host: str, status: int) -> None:
    known = Middleware(KnownHosts, public_url="https://papers.example.org/site", names=["web"])
    async with client_of(known) as client:
        with capture_logs() as logs:
            answer = await client.get("/", headers={"Host": host})
        assert answer.status_code == status
        assert "evil" not in answer.text
        assert len(logs) == 1
        assert ("reason" in logs[0]) is (status != 200)
        assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("public_url", "seconds", "told"),
    [
        ("https://papers.example.org", 31_536_000, "max-age=31536000"),
        ("https://papers.example.org", 0, None),
        ("http://papers.example.org", 31_536_000, None),
        ("", 31_536_000, None),
    ],
)
def test_browsers_are_told_to_come_by_https_alone_where_they_can(
    public_url: str, seconds: int, told: str | None
) -> None:
    assert headers.of_site(public_url, seconds).get("Strict-Transport-Security") == told


async def test_a_body_without_end_is_refused_whether_it_says_its_length_or_not() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 30

    async with client_of(Middleware(LimitedBodies, most_bytes=100)) as client:
        assert (await client.post("/", content=b"x" * 100)).text == "100"
        assert (await client.post("/", content=b"x" * 101)).status_code == 413
        assert (await client.post("/", content=parts())).status_code == 413


async def test_who_searches_on_and_on_has_to_wait_and_nobody_else_has() -> None:
    async with client_of(Middleware(Paced, clients=Clients([]))) as client:
        codes = [(await client.get("/-/search/?q=agents")).status_code for _ in range(61)]
        assert codes == [200] * 60 + [429]
        refused = await client.get("/-/search/?q=agents")
        assert refused.headers["retry-after"] == "60"
        assert (await client.get("/daily/")).status_code == 200
