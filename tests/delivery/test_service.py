from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from newsletter.core.delivery import Change, DeliveryState, Outcome
from newsletter.ports import ChunkReport, Message
from tests.delivery import services
from tests.delivery.fakes import NOW, FakeOutbox, PlainMessage, message_for, reader
from tests.delivery.services import Make, relay_to
from tests.smtp_server import SmtpServer

SENT, QUEUED, SENDING = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.SENDING
DEFERRED, REFUSED, UNCERTAIN = DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN


@dataclass
class Heard:
    """A progress that remembers."""

    remaining: list[int] = field(default_factory=list)

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        self.remaining.append(remaining)


async def test_every_reader_gets_one_copy_and_the_ledger_says_so(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(25)

    report = await process(outbox, relay_to(server, connections=4)).deliver(message_for)

    assert report == ChunkReport(sent=25)
    assert server.copies() == {reader(number): 1 for number in range(1, 26)}
    assert outbox.states() == {SENT: 25}
    assert outbox.history(1) == [SENDING, SENT]
    last = outbox.last(1)
    assert (last.attempts, last.code, last.relay) == (1, 250, f"127.0.0.1:{server.port}")
    assert 1 < server.most_at_once <= 4


async def test_a_second_run_sends_nothing(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(3)
    deliver = process(outbox, relay_to(server)).deliver

    await deliver(message_for)
    report = await deliver(message_for)

    assert report == ChunkReport()
    assert len(server.received) == 3


async def test_nothing_due_means_no_connection_and_nothing_rendered(server: SmtpServer, process: Make) -> None:
    async def never(issue_key: int) -> Message:
        raise AssertionError(issue_key)

    assert await process(FakeOutbox(), relay_to(server)).deliver(never) == ChunkReport()
    assert server.connections == 0


async def test_an_issue_is_rendered_once(server: SmtpServer, process: Make) -> None:
    asked = []

    async def render(issue_key: int) -> Message:
        asked.append(issue_key)
        await asyncio.sleep(0)
        return PlainMessage()

    await process(FakeOutbox.of(10), relay_to(server)).deliver(render, issue_key=7)

    assert asked == [7]


async def test_a_session_is_renewed_after_its_share_of_messages(server: SmtpServer, process: Make) -> None:
    await process(FakeOutbox.of(10), relay_to(server, connections=1, messages_per_connection=3)).deliver(
        message_for
    )

    assert [mail.connection for mail in server.received] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4]


async def test_deferred_and_refused_readers_are_recorded_with_what_the_relay_said(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(4)
    server.answer("RCPT", "451 4.3.0 later", address=reader(2))
    server.answer("RCPT", "550 5.1.1 no such user", address=reader(3))
    server.answer("RCPT", "552 5.2.2 mailbox full", address=reader(4))

    report = await process(outbox, relay_to(server)).deliver(message_for)

    assert report == ChunkReport(sent=1, deferred=1, refused=2)
    later = outbox.last(2)
    assert (later.state, later.code, later.text) == (DEFERRED, 451, "4.3.0 later")
    assert later.next_attempt_at is not None
    assert [outbox.last(key).suppress for key in (3, 4)] == [True, False]


async def test_a_reader_who_leaves_after_the_claim_gets_nothing(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(2)

    async def leave_meanwhile(issue_key: int) -> Message:
        await outbox.record([Change(key=1, state=DeliveryState.WITHDRAWN, at=NOW)])
        return PlainMessage()

    report = await services.process(outbox, relay_to(server)).deliver(leave_meanwhile)

    assert report == ChunkReport(sent=1)
    assert server.copies() == {reader(2): 1}


async def test_the_rate_is_kept_over_all_connections(server: SmtpServer, process: Make) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    await process(FakeOutbox.of(30), relay_to(server, connections=4, rate=100)).deliver(message_for)

    assert loop.time() - begun >= 0.15  # 30 messages at 100 a second, the first tenth of a second's worth at once


async def test_progress_hears_of_each_delivery_and_how_many_are_left(server: SmtpServer, process: Make) -> None:
    heard = Heard()

    await process(FakeOutbox.of(4), relay_to(server)).deliver(message_for, progress=heard)

    assert heard.remaining == [3, 2, 1, 0]


async def test_two_runs_at_once_send_each_reader_one_copy(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(200)

    reports = await asyncio.gather(
        *(process(outbox, relay_to(server), batch=10).deliver(message_for) for _ in range(2))
    )

    assert sum(report.sent for report in reports) == 200
    assert set(server.copies().values()) == {1}
