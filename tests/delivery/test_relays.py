from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from newsletter.core.errors import RelayError
from newsletter.delivery.limits.relays import Relays
from newsletter.ports import ChunkReport
from tests.delivery.fakes import FakeOutbox, delivery, message_for, reader
from tests.delivery.services import Make, relay_to
from tests.smtp_server import HANG, SmtpServer


@pytest.fixture
async def other() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as other:
        yield other


def everybody(readers: int, *servers: SmtpServer) -> bool:
    """Tell whether each reader got one copy, from whichever server."""
    copies = sum((server.copies() for server in servers), servers[0].copies().__class__())
    return copies == {reader(number): 1 for number in range(1, readers + 1)}


async def test_the_first_relay_works_and_the_others_stand_by(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    report = await process(FakeOutbox.of(30), relay_to(server), relay_to(other)).deliver(message_for)

    assert report == ChunkReport(sent=30)
    assert (len(server.received), other.connections) == (30, 0)


async def test_a_relay_that_is_not_there_hands_over_to_the_next(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    await server.stop_listening()

    report = await process(FakeOutbox.of(30), relay_to(server), relay_to(other)).deliver(message_for)

    assert report == ChunkReport(sent=30)
    assert everybody(30, other)


async def test_a_relay_that_dies_in_the_middle_hands_over_and_nobody_is_lost(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(100)
    server.delay = 0.002

    delivering = asyncio.create_task(process(outbox, relay_to(server), relay_to(other)).deliver(message_for))
    await server.until(20)
    await server.stop_listening()
    report = await delivering

    assert report.sent + report.uncertain == 100
    assert report.trouble == ""
    assert len(other.received) > 0


async def test_a_relay_that_hangs_at_the_greeting_holds_up_nobody(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    server.answer("GREETING", HANG)
    first = relay_to(server, timeout=0.2, connections=1)

    report = await process(FakeOutbox.of(30), first, relay_to(other)).deliver(message_for)

    assert report == ChunkReport(sent=30)


async def test_a_relay_that_works_again_gets_the_rest(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    server.answer("GREETING", "421 4.3.2 starting up", times=1)
    other.delay = 0.02

    report = await process(FakeOutbox.of(60), relay_to(server), relay_to(other)).deliver(message_for)

    assert report == ChunkReport(sent=60)
    assert len(server.received) > len(other.received) > 0


async def test_what_is_known_of_a_relay_outlasts_the_run(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(1)
    running = process(outbox, relay_to(server), relay_to(other), pauses=(60.0,))
    server.answer("GREETING", "421 4.3.2 shutting down")
    await running.deliver(message_for)
    assert server.connections == 1

    outbox.rows |= FakeOutbox(delivery(key, reader(key)) for key in range(2, 7)).rows
    report = await running.deliver(message_for)

    assert report.sent == 5
    assert server.connections == 1


async def test_relays_with_weights_share_the_work_in_that_proportion(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    pools = relay_to(server, weight=3), relay_to(other, weight=1)

    report = await process(FakeOutbox.of(200), *pools).deliver(message_for)

    assert report == ChunkReport(sent=200)
    assert everybody(200, server, other)
    assert 140 <= len(server.received) <= 160


async def test_each_relay_keeps_its_own_limits(server: SmtpServer, other: SmtpServer, process: Make) -> None:
    pools = (
        relay_to(server, weight=1, connections=1, messages_per_connection=5),
        relay_to(other, weight=1, connections=3),
    )

    await process(FakeOutbox.of(60), *pools).deliver(message_for)

    assert (server.most_at_once, other.most_at_once <= 3) == (1, True)
    assert max(sum(mail.connection == one for mail in server.received) for one in range(1, 20)) == 5


async def test_when_no_relay_is_left_the_trouble_is_told(
    server: SmtpServer, other: SmtpServer, process: Make
) -> None:
    await server.stop_listening()
    await other.stop_listening()

    report = await process(FakeOutbox.of(5), relay_to(server), relay_to(other)).deliver(message_for)

    assert f"cannot connect to 127.0.0.1:{server.port}" in report.trouble
    assert report.returned > 0


async def test_those_who_stand_by_step_in_one_after_the_other(server: SmtpServer) -> None:
    first, second, third = (
        relays := Relays([relay_to(server) for _ in range(3)], pauses=(1.0,), idle_seconds=1.0)
    ).members
    may = relays.may_work
    assert (may(first), may(second), may(third)) == (True, False, False)

    first.health.failed(RelayError("down"), 0)
    assert (may(first), may(second), may(third)) == (True, True, False)

    second.health.failed(RelayError("down"), 0)
    assert (may(first), may(second), may(third)) == (True, True, True)

    first.health.worked()
    assert (may(first), may(second), may(third)) == (True, False, False)
