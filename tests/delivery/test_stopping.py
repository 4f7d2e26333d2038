from __future__ import annotations

import asyncio

import pytest

from newsletter.core.delivery import DeliveryState, Uncertain
from tests.delivery.fakes import FakeOutbox, message_for, reader
from tests.delivery.services import Make, relay_to
from tests.smtp_server import HANG, SmtpServer

SENT, QUEUED, SENDING = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.SENDING
DEFERRED, REFUSED, UNCERTAIN = DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN


async def test_when_told_to_stop_messages_in_flight_are_finished_and_the_rest_is_left(
    server: SmtpServer, process: Make
) -> None:
    outbox, stop = FakeOutbox.of(50), asyncio.Event()
    server.delay = 0.02

    delivering = asyncio.create_task(process(outbox, relay_to(server)).deliver(message_for, stop=stop))
    await server.until(3)
    stop.set()
    report = await delivering

    assert report.sent == len(server.received) < 50
    assert report.trouble == ""
    assert report.returned == 50 - report.sent
    assert outbox.states() == {SENT: report.sent, QUEUED: 50 - report.sent}
    assert not any(row.claimed_by for row in outbox.rows.values())


async def test_when_told_to_stop_a_relay_that_hangs_is_cut_off(server: SmtpServer, process: Make) -> None:
    outbox, stop = FakeOutbox.of(3), asyncio.Event()
    server.answer("RCPT", HANG, address=reader(1))
    server.answer("MESSAGE", HANG, address=reader(2))
    running = process(outbox, relay_to(server), grace=0.05, uncertain=Uncertain.HOLD)

    delivering = asyncio.create_task(running.deliver(message_for, stop=stop))
    await server.wait_for(lambda: "DATA" in server.told and len(server.told) == 5)
    stop.set()
    report = await delivering

    assert (report.sent, report.uncertain) == (0, 1)
    assert [outbox.state(key) for key in (1, 2, 3)] == [QUEUED, UNCERTAIN, QUEUED]


async def test_when_told_to_stop_while_connecting_nothing_hangs(server: SmtpServer, process: Make) -> None:
    outbox, stop = FakeOutbox.of(3), asyncio.Event()
    server.answer("GREETING", HANG)

    delivering = asyncio.create_task(process(outbox, relay_to(server), grace=0.01).deliver(message_for, stop=stop))
    await server.wait_for(lambda: server.connections > 0)
    stop.set()
    report = await delivering

    assert report.returned == 3
    assert outbox.states() == {QUEUED: 3}


async def test_a_cancelled_run_records_what_it_can(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(3)
    server.answer("MESSAGE", HANG)

    delivering = asyncio.create_task(
        process(outbox, relay_to(server, connections=1), uncertain=Uncertain.HOLD).deliver(message_for)
    )
    await server.wait_for(lambda: "DATA" in server.told)
    delivering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await delivering

    assert outbox.states()[SENDING] == 0
    assert not any(row.claimed_by for row in outbox.rows.values())


async def test_a_slow_pace_does_not_hold_up_a_stop(server: SmtpServer, process: Make) -> None:
    outbox, stop = FakeOutbox.of(5), asyncio.Event()

    delivering = asyncio.create_task(process(outbox, relay_to(server, rate=0.001)).deliver(message_for, stop=stop))
    await server.until(1)
    stop.set()
    report = await delivering

    assert (report.sent, report.returned) == (1, 4)
