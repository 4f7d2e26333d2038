"""What outlasts a process: every service here is of a new process, and the store is what they have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import StoreError
from newsletter.core.relay import Security
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.smtp.experience import Joining
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.ports import ChunkReport, SlowDown, SlowDownKind, SlowDowns, Store
from tests.delivery import services
from tests.delivery.fakes import NOW, FakeOutbox, delivery, message_for, reader
from tests.delivery.mta import Peculiar
from tests.delivery.services import Make, relay_to
from tests.smtp_server import SmtpServer

SLOW, QUICK = "slow.example", "quick.example"
LATER = "451 4.7.0 too many messages"


class Clock:
    """Starts at NOW, keeps time with the loop, and can be put forward."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def __call__(self) -> datetime:
        return NOW + timedelta(seconds=self._loop.time() - self._began)

    def put_forward(self, seconds: float) -> None:
        self._began -= seconds


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def other() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as other:
        yield other


@pytest.fixture
def slow_downs(store: Store) -> SlowDowns:
    return store.slow_downs


@pytest.fixture
def process(store: Store, clock: Clock) -> Make:
    """Make services, each of a process of its own."""
    return partial(services.process, slow_downs=store.slow_downs, rates=store.rates, clock=clock)


def at(domain: str, *keys: int) -> FakeOutbox:
    return FakeOutbox(delivery(key, f"reader{key}@{domain}") for key in keys)


async def known(slow_downs: SlowDowns, kind: SlowDownKind) -> list[SlowDown]:
    return [one for one in await slow_downs.known(now=NOW) if one.kind is kind]


def patient() -> DomainLimits:
    return DomainLimits(first_pause=60.0, patience=0.0)


async def test_a_domain_that_asked_to_slow_down_stays_slow_in_the_next_process(
    server: SmtpServer, process: Make, slow_downs: SlowDowns
) -> None:
    server.answer("RCPT", LATER)
    await process(at(SLOW, *range(1, 11)), relay_to(server), limits=patient()).deliver(message_for)
    told = len(server.told)
    (slow,) = await known(slow_downs, SlowDownKind.DOMAIN)

    again = await process(at(SLOW, 11), relay_to(server), limits=patient()).deliver(message_for)

    assert (slow.name, slow.reason, slow.times) == (SLOW, LATER, 1)
    assert slow.until is not None
    assert timedelta(seconds=50) < slow.until - NOW < timedelta(seconds=70)
    assert again == ChunkReport(returned=1)
    assert len(server.told) == told


async def test_after_its_pause_it_gets_one_message_at_a_time_and_then_all_is_forgotten(
    server: SmtpServer, process: Make, slow_downs: SlowDowns, clock: Clock
) -> None:
    server.answer("RCPT", LATER)
    await process(at(SLOW, *range(1, 11)), relay_to(server), limits=patient()).deliver(message_for)
    clock.put_forward(61)

    once_more = await process(at(SLOW, 11, 12), relay_to(server), limits=patient()).deliver(message_for)
    (slow,) = await known(slow_downs, SlowDownKind.DOMAIN)
    server.works_again()
    clock.put_forward(121)
    taken = await process(at(SLOW, 13, 14), relay_to(server), limits=patient()).deliver(message_for)

    assert once_more == ChunkReport(deferred=1, returned=1)
    assert slow.times == 2
    assert taken == ChunkReport(sent=2)
    assert await known(slow_downs, SlowDownKind.DOMAIN) == []


async def test_a_domain_is_forgotten_when_it_was_left_alone_for_an_hour(
    server: SmtpServer, process: Make, clock: Clock
) -> None:
    server.answer("RCPT", LATER)
    await process(at(SLOW, *range(1, 11)), relay_to(server), limits=patient()).deliver(message_for)
    server.works_again()
    server.delay = 0.05
    clock.put_forward(60 + 3600 + 1)

    await process(at(SLOW, *range(11, 15)), relay_to(server, connections=2), limits=patient()).deliver(message_for)

    assert server.most_in_work == 2


async def test_a_domain_whose_pause_was_noted_by_a_clock_that_ran_ahead_is_not_shut_out(
    server: SmtpServer, process: Make, slow_downs: SlowDowns
) -> None:
    future = NOW + timedelta(days=365)
    slow = SlowDown(kind=SlowDownKind.DOMAIN, name=SLOW, since=future, until=future, forgotten_at=future)
    await slow_downs.note([slow], now=NOW)

    report = await process(at(SLOW, 1), relay_to(server), limits=DomainLimits(first_pause=0.05)).deliver(
        message_for
    )

    assert report == ChunkReport(sent=1)


async def test_a_domain_that_asks_one_process_to_slow_down_is_slowed_down_by_those_at_work(
    server: SmtpServer, process: Make
) -> None:
    limits = DomainLimits(at_once := Limit(at_once=1), {SLOW: at_once}, first_pause=60.0, patience=0.0)
    server.delay = 0.05
    at_work = asyncio.create_task(
        process(at(SLOW, *range(1, 200)), relay_to(server), limits=limits).deliver(message_for)
    )
    await server.until(3)
    server.answer("RCPT", LATER, address="other@slow.example")
    others = FakeOutbox(delivery(key, "other@slow.example") for key in range(201, 205))

    asked = await process(others, relay_to(server), limits=patient()).deliver(message_for)
    report = await at_work

    assert asked.deferred >= 3
    assert report.deferred == 0
    assert report.sent < 100  # it learnt it within a few seconds
    assert report.returned == 199 - report.sent


async def test_a_relay_that_was_given_up_is_tried_with_one_message_by_the_next_process(
    server: SmtpServer, process: Make, slow_downs: SlowDowns
) -> None:
    server.answer("GREETING", "421 4.3.2 shutting down")
    failed = await process(FakeOutbox.of(20), relay_to(server, connections=4)).deliver(message_for)
    (sick,) = await known(slow_downs, SlowDownKind.RELAY)
    server.works_again()
    server.delay, before = 0.05, server.connections

    delivering = asyncio.create_task(
        process(FakeOutbox.of(20), relay_to(server, connections=4)).deliver(message_for)
    )
    await server.until(1)
    after_one = server.connections
    report = await delivering

    assert (sick.name, sick.given_up, sick.times) == (f"127.0.0.1:{server.port}", True, 3)
    assert failed.trouble == sick.reason
    assert after_one == before + 1
    assert report == ChunkReport(sent=20)
    assert await known(slow_downs, SlowDownKind.RELAY) == []


async def test_while_it_is_in_trouble_the_next_process_begins_with_the_relay_that_stands_by(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    await server.stop_listening()
    first = process(FakeOutbox.of(10), relay_to(server), relay_to(other), pauses=(60.0,))
    assert await first.deliver(message_for) == ChunkReport(sent=10)

    second = process(FakeOutbox.of(10), relay_to(server), relay_to(other), pauses=(60.0,))
    assert await second.deliver(message_for) == ChunkReport(sent=10)

    assert server.connections == 0
    assert len(other.received) == 20


@pytest.mark.parametrize("limited", ["relay", "domain"])
async def test_a_restart_lets_no_more_through_than_the_rate(
    server: SmtpServer, process: Make, limited: str
) -> None:
    def again(key: int) -> Make:
        relay = relay_to(server, rate=2.0 if limited == "relay" else 0.0)
        limits = DomainLimits(Limit(rate=2.0 if limited == "domain" else 0.0))
        return partial(process, FakeOutbox([delivery(key, reader(key))]), relay, limits=limits)

    loop = asyncio.get_running_loop()
    began = loop.time()
    for key in range(1, 5):
        assert (await again(key)().deliver(message_for)).sent == 1

    assert loop.time() - began >= 1.4  # three times half a second, less what may come early


async def test_a_process_that_was_killed_leaves_the_next_one_no_more_than_the_rate(
    server: SmtpServer, process: Make
) -> None:
    server.delay = 60.0
    relay = partial(relay_to, server, rate=2.0, connections=1)
    loop = asyncio.get_running_loop()
    began = loop.time()
    killed = asyncio.create_task(process(FakeOutbox.of(1), relay()).deliver(message_for))
    await server.wait_for(lambda: "DATA" in server.told)
    server.delay = 0.0

    report = await process(FakeOutbox.of(2), relay()).deliver(message_for)

    assert report == ChunkReport(sent=2)
    assert loop.time() - began >= 0.9
    killed.cancel()
    await asyncio.wait([killed])


async def test_a_rate_that_was_not_used_lately_makes_nobody_wait(server: SmtpServer, process: Make) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    await process(FakeOutbox.of(1), relay_to(server, rate=0.1)).deliver(message_for)

    assert loop.time() - began < 2.0


async def test_a_relay_that_takes_no_joined_envelopes_is_known_as_such_after_a_restart(
    process: Make, slow_downs: SlowDowns, clock: Clock
) -> None:
    relay = Peculiar(discards=True)
    async with relay.running():
        first = SmtpRelay(plain(relay))
        await process(FakeOutbox.of(20), first).deliver(message_for)
        (noted,) = await known(slow_downs, SlowDownKind.JOINING)
        connections = relay.connections

        second = SmtpRelay(plain(relay))
        await process(FakeOutbox.of(20), second).deliver(message_for)
        again = relay.connections - connections

        clock.put_forward(8 * 24 * 3600.0)  # then it may be another server
        relay.discards = False
        third = SmtpRelay(plain(relay))
        await process(FakeOutbox.of(20), third).deliver(message_for)

        assert (noted.name, noted.times) == (f"127.0.0.1:{relay.port}", 1)
        assert noted.reason.startswith("no answer within")
        assert noted.until == noted.forgotten_at
        assert timedelta(days=6.9) < noted.forgotten_at - NOW < timedelta(days=7.1)
        assert (first.joins.state, second.joins.state, third.joins.state) == (
            Joining.FAILS,
            Joining.FAILS,
            Joining.WORKS,
        )
        assert again == 1  # nothing was tried
        assert len(relay.recipients) == 60


async def test_a_failure_noted_by_a_clock_that_ran_ahead_does_not_count_for_ever(
    process: Make, slow_downs: SlowDowns
) -> None:
    relay = Peculiar(spares=1000)
    async with relay.running():
        future = NOW + timedelta(days=3650)
        name = f"127.0.0.1:{relay.port}"
        noted = SlowDown(kind=SlowDownKind.JOINING, name=name, since=NOW, reason="?", forgotten_at=future)
        await slow_downs.note([noted], now=NOW)
        relays = SmtpRelay(plain(relay))

        await process(FakeOutbox.of(5), relays).deliver(message_for)

        assert relays.joins.tried_again_at <= asyncio.get_running_loop().time() + 7 * 24 * 3600


def plain(relay: Peculiar) -> RelayConfig:
    return RelayConfig(
        host="127.0.0.1", port=relay.port, security=Security.NONE, ehlo_name="x.example.org", connections=1
    )


class Unwritable:
    """A store that can't be used for this; `ports.SlowDowns`."""

    async def known(self, *, now: datetime) -> list[SlowDown]:
        raise StoreError("the ledger is locked")

    async def note(self, *_: object, **__: object) -> None:
        raise StoreError("the ledger is locked")


async def test_what_cannot_be_kept_costs_no_delivery(server: SmtpServer, process: Make) -> None:
    server.answer("RCPT", LATER, times=3)
    limits = DomainLimits(Limit(rate=1000), first_pause=0.05)
    outbox = at(QUICK, *range(1, 11))

    report = await process(outbox, relay_to(server, rate=1000.0), limits=limits, slow_downs=Unwritable()).deliver(
        message_for
    )

    assert report == ChunkReport(sent=7, deferred=3)
    assert outbox.states() == {DeliveryState.SENT: 7, DeliveryState.DEFERRED: 3}


async def test_an_ordinary_run_writes_nothing(server: SmtpServer, process: Make) -> None:
    notes = []

    class Counting(Unwritable):
        async def known(self, *, now: datetime) -> list[SlowDown]:
            return []

        async def note(self, *_: object, **__: object) -> None:
            notes.append(1)

    assert (
        await process(FakeOutbox.of(50), relay_to(server), slow_downs=Counting()).deliver(message_for)
    ).sent == 50

    assert notes == []
