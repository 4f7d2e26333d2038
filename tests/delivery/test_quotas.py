"""What is over a relay's quota goes to the next relay, or waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.quotas import Quota, QuotaOf
from newsletter.delivery.limits.quota import RelayQuota
from newsletter.delivery.mailer import RelayMailer
from newsletter.delivery.smtp.relay import SmtpRelay
from newsletter.operations.status import slow_downs_for_operators
from newsletter.ports import ChunkReport, SlowDownKind, Store
from tests.delivery import services
from tests.delivery.fakes import NOW, FakeOutbox, delivery, message_for, reader
from tests.delivery.services import relay_to
from tests.smtp_server import SmtpServer

DAY = Quota(per_day=5)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> Any:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def other() -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as other:
        yield other


class Processes:
    """Makes the relays and services of processes that share a ledger."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock = store, clock

    def relay(self, server: SmtpServer, quota: Quota = DAY, **changes: Any) -> SmtpRelay:
        name = f"{server.host}:{server.port}"
        counting = RelayQuota(name, name, quota, self.store.relay_usage, self.clock)
        return relay_to(server, quota=counting, **changes)

    async def deliver(self, outbox: FakeOutbox, *relays: SmtpRelay) -> ChunkReport:
        process = services.process(outbox, *relays, clock=self.clock, slow_downs=self.store.slow_downs)
        return await process.deliver(message_for)


@pytest.fixture
def processes(store: Store, clock: Clock) -> Processes:
    return Processes(store, clock)


def letters(count: int) -> FakeOutbox:
    return FakeOutbox(delivery(key, reader(key)) for key in range(1, count + 1))


async def test_what_is_over_the_quota_waits_without_an_attempt_until_the_next_day(
    server: SmtpServer, processes: Processes, clock: Clock
) -> None:
    outbox = letters(12)
    first = await processes.deliver(outbox, processes.relay(server))
    assert (first.sent, first.trouble, len(server.received)) == (5, "", 5)
    assert "is used up until 2026-03-13 08:05 UTC: 5 mails in 24 hours, and all of them are" in first.waiting
    waiting = [row for row in outbox.rows.values() if row.state is DeliveryState.QUEUED]
    assert [row.attempts for row in waiting] == [0] * 7
    assert not any(row.claimed_by for row in waiting)
    (known,) = await processes.store.slow_downs.known(now=NOW)
    assert (known.kind, known.until) == (SlowDownKind.QUOTA, NOW + timedelta(hours=24, minutes=5))

    again = await processes.deliver(outbox, processes.relay(server))  # a new process
    assert (again.sent, again.trouble, bool(again.waiting)) == (0, "", True)
    clock.now = NOW + timedelta(hours=24, minutes=5)
    assert (await processes.deliver(outbox, processes.relay(server))).sent == 5
    assert await processes.store.slow_downs.known(now=clock.now - timedelta(minutes=1)) != []
    assert set(server.copies().values()) == {1}


async def test_what_is_shown_of_quotas_goes_by_their_present_limits(
    server: SmtpServer, processes: Processes, clock: Clock
) -> None:
    store, relay = processes.store, processes.relay(server)
    await processes.deliver(letters(12), relay)

    async def shown(**limits: int) -> list[str]:
        quotas = [QuotaOf(relay.name, relay.account, Quota(**limits))] if limits else []
        return [one.reason for one in await slow_downs_for_operators(store, quotas, now=clock.now)]

    assert await shown(per_day=5) == ["5 mails in 24 hours, and all of them are used"]
    assert await shown(per_hour=2) == ["2 mails in an hour, and 5 went out already"]
    assert await shown(per_hour=6) == await shown() == []  # whatever was noted when it was used up


async def test_what_is_over_the_quota_goes_to_the_next_relay(
    server: SmtpServer, other: SmtpServer, processes: Processes
) -> None:
    report = await processes.deliver(letters(30), processes.relay(server), relay_to(other))
    assert (report.sent, len(server.received), len(other.received)) == (30, 5, 25)
    assert report == ChunkReport(sent=30)


async def test_a_quota_that_opens_while_another_relay_works_hangs_nobody(
    server: SmtpServer, other: SmtpServer, processes: Processes, clock: Clock
) -> None:
    other.delay = 0.01
    relays = processes.relay(server, Quota(per_hour=5)), relay_to(other)

    async def open_again() -> None:
        await other.until(3)
        clock.now = NOW + timedelta(hours=2)

    report, _ = await asyncio.gather(processes.deliver(letters(40), *relays), open_again())
    assert report.sent == 40


async def test_two_processes_at_once_share_one_quota(server: SmtpServer, processes: Processes) -> None:
    quota = Quota(per_day=20)
    relays = [processes.relay(server, quota, connections=1) for _ in range(2)]
    outboxes = [letters(20), FakeOutbox(delivery(key, reader(key)) for key in range(21, 41))]
    first, second = await asyncio.gather(
        *(processes.deliver(outbox, relay) for outbox, relay in zip(outboxes, relays, strict=True))
    )
    assert first.sent + second.sent == len(server.received) == 20
    assert first.waiting or second.waiting


async def test_what_a_process_counted_ahead_and_did_not_use_is_given_back(
    server: SmtpServer, processes: Processes
) -> None:
    quota = Quota(per_day=100)
    await processes.deliver(letters(7), processes.relay(server, quota))
    left = await processes.store.relay_usage.take(f"{server.host}:{server.port}", quota, 1000, now=NOW)
    assert left.mails == 93


async def test_more_connections_than_a_quota_has_room_for_leave_none_of_it(
    server: SmtpServer, processes: Processes
) -> None:
    few = await processes.deliver(letters(2), processes.relay(server, Quota(per_day=2), connections=8))
    assert (few.sent, few.waiting) == (2, "")
    some = await processes.deliver(letters(9), processes.relay(server, Quota(per_day=7), connections=8))
    assert some.sent == 5  # beside the two


async def test_a_letter_goes_to_a_relay_with_room_and_waits_for_none(
    server: SmtpServer, other: SmtpServer, processes: Processes
) -> None:
    mailer = RelayMailer([processes.relay(server, Quota(per_day=1)), processes.relay(other, Quota(per_day=1))])
    for number in range(3):
        outcome = await mailer.send("papers@example.org", reader(number), b"Subject: x\r\n\r\nHello\r\n")
        assert outcome.state is DeliveryState.SENT
    assert (len(server.received), len(other.received)) == (2, 1)
