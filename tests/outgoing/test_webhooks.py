"""Webhooks over the wire: signed, sent once, sent again where they are not taken."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook as Verifier
from werkzeug import Request, Response

from newsletter.core.notices import LEASE
from newsletter.outgoing.rounds import Rounds
from newsletter.ports import NoticeCounts, Store
from newsletter.sources.http.poster import WebPoster
from tests.outgoing.worker import NAME, SECRET, poster, webhook
from tests.store.samples import DAY, NOW, frozen

ROOT = Path(__file__).parents[2]


class Clock:
    """A clock that tests set; what is signed has the true time."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def by() -> AsyncIterator[WebPoster]:
    made = poster()
    yield made
    await made.aclose()


@pytest.fixture
def send(store: Store, by: WebPoster, clock: Clock, httpserver: HTTPServer) -> Callable[..., asyncio.Task[None]]:
    """Tells the endpoint at `/hook` what is due."""

    def sending(path: str = "/hook", using: WebPoster = by) -> asyncio.Task[None]:
        receiver = webhook(httpserver.url_for(path), using, now=lambda: datetime.now(UTC))
        return asyncio.create_task(Rounds(store.notices, clock).send([receiver], asyncio.Event()))

    return sending


Send = Callable[..., asyncio.Task[None]]


def requests(server: HTTPServer) -> list[Request]:
    return [request for request, _ in server.log]


async def test_an_event_is_signed_as_the_specification_says(
    store: Store, send: Send, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("", status=204)
    await frozen(store, 1)

    await send()
    await send()

    [request] = requests(httpserver)
    told = Verifier(SECRET).verify(request.data, dict(request.headers))
    assert told["type"] == "issue.closed"
    assert datetime.fromisoformat(told["timestamp"]) == NOW
    assert told["data"]["day"] == DAY.isoformat()
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["webhook-id"].startswith("msg_")


@pytest.mark.parametrize("status", [302, 400, 429, 500])
async def test_what_is_not_taken_is_sent_again_under_the_same_id(
    status: int, store: Store, send: Send, clock: Clock, httpserver: HTTPServer
) -> None:
    headers = {"Location": httpserver.url_for("/elsewhere")}
    httpserver.expect_ordered_request("/hook").respond_with_data("", status=status, headers=headers)
    httpserver.expect_ordered_request("/hook").respond_with_data("taken")
    await frozen(store, 1)

    await send()
    clock.now += timedelta(seconds=4)
    await send()
    assert len(requests(httpserver)) == 1
    assert await store.notices.counts() == [
        NoticeCounts(receiver=NAME, waiting=1, given_up=0, reason=f"answered {status}")
    ]
    clock.now += timedelta(seconds=1)
    await send()

    first, second = requests(httpserver)
    assert (first.headers["webhook-id"], first.data) == (second.headers["webhook-id"], second.data)
    assert await store.notices.counts() == []


async def test_an_endpoint_that_asks_to_wait_is_left_alone(
    store: Store, send: Send, clock: Clock, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("", status=429, headers={"Retry-After": "3600"})
    await frozen(store, 1)

    await send()
    clock.now += timedelta(minutes=59)
    await send()
    assert len(requests(httpserver)) == 1
    clock.now += timedelta(minutes=1)
    await send()

    assert len(requests(httpserver)) == 2


async def test_an_event_is_given_up_after_three_days_or_when_the_endpoint_is_gone(
    store: Store, send: Send, clock: Clock, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("", status=503)
    httpserver.expect_request("/gone").respond_with_data("", status=410)
    await frozen(store, 1)
    for _ in range(24 * 4):
        await send()
        clock.now += timedelta(hours=1)

    assert len(requests(httpserver)) == 10
    given_up = NoticeCounts(receiver=NAME, waiting=0, given_up=1, reason="answered 503")
    assert await store.notices.counts() == [given_up]
    await frozen(store, day=DAY + timedelta(days=1), number=2)
    for _ in range(3):
        await send("/gone")
        clock.now += timedelta(hours=1)
    assert len(requests(httpserver)) == 11


async def test_an_endpoint_that_hangs_costs_its_time_and_holds_nobody_up(
    store: Store, send: Send, httpserver: HTTPServer
) -> None:
    is_over = threading.Event()

    def hang(_: Request) -> Response:
        is_over.wait()
        return Response()

    httpserver.expect_request("/hook").respond_with_handler(hang)
    await frozen(store, 1)
    hasty = poster(timeout=1)

    await send(using=hasty)

    [counts] = await store.notices.counts()
    assert counts.reason == "no answer in time (timeout: 1 s)"
    await hasty.aclose()
    is_over.set()
    async with asyncio.timeout(20):
        while not requests(httpserver):  # noqa: ASYNC110 (a thread notes it, else among those of another test)
            await asyncio.sleep(0.01)


async def test_an_address_in_a_private_network_is_refused_and_the_setting_is_named(
    store: Store, send: Send, httpserver: HTTPServer
) -> None:
    careful = poster(public_only=True)
    await frozen(store, 1)

    await send(using=careful)

    [counts] = await store.notices.counts()
    assert "is not a public address" in counts.reason
    assert counts.reason.endswith("set NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE=true")
    assert requests(httpserver) == []
    await careful.aclose()


async def process(url: str, at: str) -> asyncio.subprocess.Process:
    words = ("-m", "tests.outgoing.worker", url, at, NOW.isoformat())
    return await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)


async def test_two_processes_send_each_event_once(store: Store, url: str, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    for number in range(1, 21):
        await frozen(store, day=DAY + timedelta(days=number), number=number)

    both = await asyncio.gather(*(process(url, httpserver.url_for("/hook")) for _ in range(2)))
    assert [await one.wait() for one in both] == [0, 0]

    times = Counter(request.headers["webhook-id"] for request in requests(httpserver))
    assert set(times.values()) == {1}
    # Nobody was to get these issues, so they are delivered as they are closed.
    kinds = Counter(json.loads(request.data)["type"] for request in requests(httpserver))
    assert kinds == {"issue.closed": 20, "issue.delivered": 20}


async def test_what_a_killed_process_had_sent_comes_again_under_the_same_id(
    store: Store, url: str, send: Send, clock: Clock, httpserver: HTTPServer
) -> None:
    def kill(request: Request) -> Response:
        number = re.fullmatch(r"process (\d+)", request.headers["User-Agent"])
        assert number is not None
        if int(number[1]) != os.getpid():
            os.kill(int(number[1]), signal.SIGKILL)
        return Response()

    httpserver.expect_request("/hook").respond_with_handler(kill)
    await frozen(store, 1)

    killed = await process(url, httpserver.url_for("/hook"))
    assert await killed.wait() == -signal.SIGKILL
    await send()
    assert len(requests(httpserver)) == 1
    clock.now += LEASE
    await send()
    await send()

    first, second = requests(httpserver)
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
