from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.delivery import Change, Delivery, DeliveryState, Uncertain
from newsletter.core.errors import RenderError, StoreError
from newsletter.ports import ChunkReport, Message
from tests.delivery import services
from tests.delivery.dialogue import Dialogue, playing
from tests.delivery.fakes import ISSUE, NOW, FakeOutbox, PlainMessage, message_for, reader
from tests.delivery.services import Make, names, relay_to
from tests.smtp_server import DROP, SmtpServer

SENT, QUEUED, SENDING = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.SENDING
DEFERRED, REFUSED, UNCERTAIN = DeliveryState.DEFERRED, DeliveryState.REFUSED, DeliveryState.UNCERTAIN


async def test_trouble_with_the_relay_stops_the_run_and_blames_no_reader(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(20)
    server.answer("MAIL", "550 5.7.1 your IP is blocked")

    report = await process(outbox, relay_to(server)).deliver(message_for)

    assert "blocked" in report.trouble
    assert report.returned > 0
    assert outbox.states() == {QUEUED: 20}
    assert all(not row.attempts and not row.claimed_by for row in outbox.rows.values())


async def test_a_relay_that_is_not_there_stops_the_run_after_some_tries(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(20)
    await server.stop_listening()

    report = await process(outbox, relay_to(server)).deliver(message_for)

    assert "cannot connect" in report.trouble
    assert outbox.states() == {QUEUED: 20}
    assert outbox.history(1) == []


async def test_a_relay_that_recovers_in_time_loses_nobody(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(20)
    server.answer("GREETING", "421 4.3.2 starting up", times=1)

    report = await process(outbox, relay_to(server, connections=1)).deliver(message_for)

    assert report == ChunkReport(sent=20)


async def test_a_421_after_some_messages_means_a_new_connection(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(6)
    server.answer("MAIL", "421 4.7.0 too many messages", times=1)

    report = await process(outbox, relay_to(server, connections=1)).deliver(message_for)

    assert report == ChunkReport(sent=6)
    assert server.connections == 2
    assert server.copies() == {reader(number): 1 for number in range(1, 7)}


async def test_a_reader_who_alone_makes_trouble_is_tried_last_and_then_deferred(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(6)
    server.answer("RCPT", "503 5.5.1 say MAIL first", address=reader(1))

    report = await process(outbox, relay_to(server, connections=1)).deliver(message_for)

    assert report == ChunkReport(sent=5, deferred=1)
    assert [mail.recipient for mail in server.received] == [reader(number) for number in range(2, 7)]
    assert outbox.history(1) == [SENDING, QUEUED, SENDING, DEFERRED]
    assert (outbox.last(1).attempts, outbox.last(1).suppress) == (1, False)


@pytest.mark.parametrize(("policy", "state"), [(Uncertain.RESEND, DEFERRED), (Uncertain.HOLD, UNCERTAIN)])
async def test_a_message_whose_fate_is_unknown_is_not_sent_again_in_the_same_run(
    server: SmtpServer, process: Make, policy: Uncertain, state: DeliveryState
) -> None:
    outbox = FakeOutbox.of(3)
    server.answer("MESSAGE", DROP, address=reader(2))

    report = await process(outbox, relay_to(server), uncertain=policy).deliver(message_for)

    assert (report.sent, report.uncertain, report.trouble) == (2, 1, "")
    assert UNCERTAIN in outbox.history(2)
    assert outbox.state(2) is state
    assert outbox.rows[2].claimed_by is None
    assert outbox.rows[2].attempts == 1


async def test_a_relay_that_drops_every_message_is_given_up_before_many_are_uncertain(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(50)
    server.answer("MESSAGE", DROP)

    report = await process(outbox, relay_to(server, connections=2), uncertain=Uncertain.HOLD).deliver(message_for)

    assert "lost before the answer" in report.trouble
    assert report.uncertain <= 4
    assert outbox.states() == {UNCERTAIN: report.uncertain, QUEUED: 50 - report.uncertain}


async def test_what_a_dead_worker_held_is_brought_back_first(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(3)
    async with outbox.worker() as dead:
        await outbox.claim(dead, issue_key=ISSUE, now=NOW, limit=2)
        await outbox.record([Change(key=1, state=SENDING, at=NOW, attempts=1)])

    report = await process(outbox, relay_to(server), uncertain=Uncertain.HOLD).deliver(message_for)

    assert report == ChunkReport(sent=2)
    assert outbox.state(1) is UNCERTAIN


async def test_a_broken_template_stops_the_run_and_sends_nothing(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(5)

    async def broken(issue_key: int) -> Message:
        raise RenderError("body.html:3: there is no listing.tittle")

    report = await process(outbox, relay_to(server)).deliver(broken)

    assert report.trouble == "body.html:3: there is no listing.tittle"
    assert outbox.states() == {QUEUED: 5}
    assert server.received == []


async def test_a_ledger_that_cannot_be_written_stops_the_run_before_anything_is_sent(server: SmtpServer) -> None:
    outbox = FakeOutbox.of(5)
    outbox.fail = StoreError("the disk is full")

    with pytest.raises(StoreError, match="disk is full"):
        await services.process(outbox, relay_to(server)).deliver(message_for)

    assert server.received == []


async def test_what_the_ledger_could_not_take_is_in_the_journal_and_nobody_gets_a_second_copy(
    server: SmtpServer, tmp_path: Path
) -> None:
    outbox = FakeOutbox.of(50)
    running = services.process(outbox, relay_to(server), journals=tmp_path, batch=5)
    outbox.fail = StoreError("the disk is full")
    with pytest.raises(StoreError, match="disk is full"):
        await running.deliver(message_for)
    assert outbox.states() == {QUEUED: 50}
    sent = len(server.received)
    assert 0 < sent < 50

    outbox.fail = None
    report = await running.deliver(message_for)

    assert report == ChunkReport(sent=50 - sent)
    assert outbox.states() == {SENT: 50}
    assert server.copies() == {reader(number): 1 for number in range(1, 51)}
    assert names(tmp_path) == ["recovery.lock"]


async def test_an_outbox_that_cannot_be_read_any_more_ends_the_run_and_says_so_once(
    server: SmtpServer, process: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = FakeOutbox.of(50)
    claim = outbox.claim

    async def claim_until_some_are_sent(*asked: Any, **how: Any) -> list[Delivery]:
        if server.received:
            outbox.fail = StoreError("the disk is full")
            raise outbox.fail
        return await claim(*asked, **how)

    monkeypatch.setattr(outbox, "claim", claim_until_some_are_sent)
    with pytest.raises(StoreError, match="disk is full"):
        await process(outbox, relay_to(server), batch=10).deliver(message_for)
    gc.collect()

    assert 0 < len(server.received) <= 20  # of two claims: one is asked for while the other goes out
    assert not caplog.records  # asyncio tells of errors that nobody has heard


async def test_a_mistake_in_our_code_ends_the_run_and_other_messages_are_settled(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(5)

    class Wrong(PlainMessage):
        def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
            if delivery.key == 3:
                raise ZeroDivisionError
            return super().for_reader(delivery)

    async def render(issue_key: int) -> Message:
        return Wrong()

    with pytest.raises(ZeroDivisionError):
        await process(outbox, relay_to(server)).deliver(render)

    assert SENDING not in outbox.states()
    assert outbox.states()[SENT] == len(server.received)
    assert not any(row.claimed_by for row in outbox.rows.values())


async def test_two_relays_share_the_work_and_one_that_dies_hands_over(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(20)
    async with SmtpServer() as other:
        await other.stop_listening()

        report = await process(outbox, relay_to(other), relay_to(server)).deliver(message_for)

    assert report.sent == 20
    assert len(server.received) == 20


async def test_a_session_that_ends_while_the_relay_is_in_trouble_keeps_nobody_waiting(process: Make) -> None:
    second_waits, in_trouble = asyncio.Event(), asyncio.Event()

    async def take(dialogue: Dialogue) -> None:
        for end, answer in (("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go on")):
            assert (await dialogue.hear("\r\n")).startswith(end)
            dialogue.say(answer)
        await dialogue.hear("\r\n.\r\n")

    async def ends_after_a_message(dialogue: Dialogue) -> None:
        await dialogue.greet()
        await take(dialogue)
        dialogue.say("250 taken")
        await dialogue.hear("\r\n")
        second_waits.set()
        await in_trouble.wait()
        await asyncio.sleep(0.1)  # so that it is known before the session ends
        dialogue.say("421 4.7.0 enough for now")
        await dialogue.hear_no_more()

    async def breaks(dialogue: Dialogue) -> None:
        await dialogue.greet()
        await take(dialogue)
        await second_waits.wait()
        dialogue.writer.close()
        in_trouble.set()

    async def works(dialogue: Dialogue) -> None:
        await dialogue.greet()
        await take(dialogue)
        dialogue.say("250 taken")
        assert await dialogue.hear("\r\n") == "QUIT\r\n"
        dialogue.say("221 bye")

    outbox = FakeOutbox.of(3)
    async with asyncio.timeout(8), playing(ends_after_a_message, breaks, works, connections=2) as relay:
        report = await process(outbox, relay, uncertain=Uncertain.HOLD, pauses=(0.4,)).deliver(message_for)

    assert report == ChunkReport(sent=2, uncertain=1)
