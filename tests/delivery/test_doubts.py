"""Relays that refuse some readers, or all, for reasons of policy; see `newsletter.core.refusals`."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from datetime import timedelta

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.delivery.smtp.session import Letter
from newsletter.ports import ChunkReport
from tests.delivery.fakes import NOW, SENDER, FakeOutbox, delivery, message_for, reader
from tests.delivery.services import Make, relay_to
from tests.smtp_server import SmtpServer

SENT, QUEUED, SENDING = DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.SENDING
DEFERRED, REFUSED = DeliveryState.DEFERRED, DeliveryState.REFUSED
STOP_LIST = "550 5.7.1 this address is on our stop list"
READERS = 60


def some(count: int) -> list[int]:
    return random.Random(7).sample(range(1, READERS + 1), count)  # noqa: S311 - any will do


PLACES: dict[str, Callable[[], Collection[int]]] = {
    "the first": lambda: [1],
    "the first twelve": lambda: range(1, 13),
    "twelve in the middle": lambda: range(24, 36),
    "the last twelve": lambda: range(READERS - 11, READERS + 1),
    "the last": lambda: [READERS],
    "twelve here and there": lambda: some(12),
    "each second": lambda: range(1, READERS + 1, 2),
    "all but a few": lambda: some(READERS - 8),
}


def refuse(server: SmtpServer, numbers: Collection[int], reply: str = STOP_LIST, *, step: str = "RCPT") -> None:
    for number in numbers:
        server.answer(step, reply, address=reader(number))


@pytest.mark.parametrize("step", ["RCPT", "DATA", "MESSAGE"])
@pytest.mark.parametrize("place", PLACES)
async def test_who_is_refused_is_refused_and_all_others_have_their_mail_in_one_run(
    server: SmtpServer, process: Make, place: str, step: str
) -> None:
    outbox, bad = FakeOutbox.of(READERS), set(PLACES[place]())
    refuse(server, bad, step=step)

    report = await process(outbox, relay_to(server, connections=4)).deliver(message_for)

    assert report == ChunkReport(sent=READERS - len(bad), refused=len(bad))
    assert server.copies() == {reader(number): 1 for number in range(1, READERS + 1) if number not in bad}
    assert {number for number in outbox.rows if outbox.state(number) is REFUSED} == bad
    last = outbox.last(min(bad))
    assert (last.code, last.suppress, last.attempts) == (int(STOP_LIST[:3]), False, 1)
    assert not any(row.claimed_by for row in outbox.rows.values())


@pytest.mark.parametrize("connections", [1, 2, 16])
@pytest.mark.parametrize("extensions", [("PIPELINING",), ()])
async def test_the_number_of_connections_and_pipelining_make_no_difference(
    process: Make, connections: int, extensions: tuple[str, ...]
) -> None:
    outbox, bad = FakeOutbox.of(100), range(10, 30)
    async with SmtpServer(extensions=extensions) as server:
        refuse(server, bad)

        report = await process(outbox, relay_to(server, connections=connections)).deliver(message_for)

        assert report == ChunkReport(sent=80, refused=20)
        assert set(server.copies().values()) == {1}


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 relaying denied for you",
        "554 5.7.1 your IP has a bad reputation",
        "550 5.4.5 daily quota exceeded",
        "550 no",
        "550 5.7.26 no DMARC",
        "550 5.1.8 sender domain unknown",
    ],
)
async def test_whatever_the_words_a_refusal_in_the_middle_of_others_mail_is_the_readers(
    server: SmtpServer, process: Make, reply: str
) -> None:
    outbox, bad = FakeOutbox.of(READERS), range(20, 32)
    refuse(server, bad, reply)

    report = await process(outbox, relay_to(server)).deliver(message_for)

    assert report == ChunkReport(sent=48, refused=12)


@pytest.mark.parametrize("readers", [2, 5, 20, 60])
@pytest.mark.parametrize("step", ["RCPT", "MESSAGE"])
async def test_a_relay_that_refuses_all_blames_nobody_and_is_told_of_once(
    server: SmtpServer, process: Make, readers: int, step: str
) -> None:
    outbox = FakeOutbox.of(readers)
    server.answer(step, "550 5.7.1 we don't take mail from you")

    report = await process(outbox, relay_to(server)).deliver(message_for)

    assert outbox.states() == {QUEUED: readers}
    assert (report.sent, report.refused, report.deferred) == (0, 0, 0)
    assert report.trouble.count("5.7.1") == 1
    assert report.returned
    assert all(not row.attempts and not row.claimed_by for row in outbox.rows.values())


async def test_a_relay_that_refuses_all_is_not_asked_for_everybody(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(500)
    server.answer("RCPT", "550 5.7.1 we don't take mail from you")

    await process(outbox, relay_to(server)).deliver(message_for)

    assert sum(told.startswith("RCPT") for told in server.told) <= 40


async def test_a_relay_that_refused_all_and_takes_them_again_gets_everybodys_mail(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(READERS)
    running = process(outbox, relay_to(server))
    server.answer("RCPT", STOP_LIST)
    await running.deliver(message_for)
    server.works_again()

    report = await running.deliver(message_for)

    assert report == ChunkReport(sent=READERS)


async def test_a_relay_that_stops_taking_mail_in_the_middle_refuses_nobody_for_good(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(200)
    full = [number for number in range(1, 201) if number > 100]
    for number in full:
        server.answer("RCPT", "550 5.4.5 daily sending quota exceeded", address=reader(number))
    running = process(outbox, relay_to(server, connections=1))

    report = await running.deliver(message_for)

    assert (report.sent, report.refused) == (100, 0)
    assert "quota" in report.trouble
    assert outbox.states()[REFUSED] == 0
    assert 0 < outbox.states()[DEFERRED] <= 12


async def test_a_quota_that_ends_shortly_before_the_last_costs_nobody_the_issue(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(READERS)
    refuse(server, range(READERS - 2, READERS + 1), "550 5.4.5 daily sending quota exceeded")

    report = await process(outbox, relay_to(server, connections=1)).deliver(message_for)

    assert report == ChunkReport(sent=READERS - 3, deferred=3)


async def test_the_last_ones_are_refused_if_the_same_answer_was_about_readers_before(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(READERS)
    bad = [5, 20, *range(READERS - 6, READERS + 1)]
    refuse(server, bad, "550 5.7.1 relaying to this reader is not allowed")

    report = await process(outbox, relay_to(server, connections=1)).deliver(message_for)

    assert report == ChunkReport(sent=READERS - len(bad), refused=len(bad))


async def test_a_reader_alone_whom_the_relay_refuses_is_asked_again_later_and_not_for_ever(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(1)
    server.answer("RCPT", STOP_LIST)
    now = NOW
    running = process(outbox, relay_to(server), clock=lambda: now)

    report = await running.deliver(message_for)
    assert (report.deferred, outbox.last(1).next_attempt_at) == (1, NOW + timedelta(minutes=2))

    for _ in range(11):
        now += timedelta(hours=5)
        await running.deliver(message_for)
    assert outbox.states() == {REFUSED: 1}
    assert "given up" in outbox.last(1).reason


async def test_a_domain_whose_filter_does_not_like_the_issue_costs_others_nothing(
    server: SmtpServer, process: Make
) -> None:
    addresses = [f"reader{n}@{'strict' if n % 3 else 'kind'}.example" for n in range(60)]
    outbox = FakeOutbox(delivery(n, address) for n, address in enumerate(addresses, start=1))
    for address in addresses:
        if "strict" in address:
            server.answer("MESSAGE", "554 5.7.1 message looks like spam", address=address)

    report = await process(outbox, relay_to(server, connections=4)).deliver(message_for)

    assert report == ChunkReport(sent=20, refused=40)


async def test_another_relay_steps_in_for_one_that_refuses_all(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(READERS)
    server.answer("RCPT", "550 5.7.1 we don't take mail from you")
    async with SmtpServer() as other:
        report = await process(outbox, relay_to(server), relay_to(other)).deliver(message_for)

        assert (report.sent, report.refused, report.deferred) == (READERS, 0, 0)
        assert other.copies() == {reader(number): 1 for number in range(1, READERS + 1)}


async def test_what_one_relay_takes_says_nothing_of_another(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(200)
    server.answer("RCPT", "550 5.7.1 we don't take mail from you")
    async with SmtpServer() as other:
        report = await process(outbox, relay_to(server, weight=1), relay_to(other, weight=1)).deliver(message_for)

        assert report.refused == 0
        assert report.sent + report.deferred == 200
        assert set(other.copies().values()) == {1}


async def test_a_second_run_has_nothing_left_to_do(server: SmtpServer, process: Make) -> None:
    outbox = FakeOutbox.of(READERS)
    refuse(server, range(1, 13))
    running = process(outbox, relay_to(server))
    await running.deliver(message_for)
    asked = len(server.told)

    assert await running.deliver(message_for) == ChunkReport()
    assert len(server.told) == asked


async def test_a_refusal_leaves_the_session_usable_and_joined_envelopes_in_order(server: SmtpServer) -> None:
    session = await relay_to(server).connect()
    letters = [Letter(SENDER, reader(number), (f"Hello {number}\r\n".encode(),)) for number in range(1, 6)]
    refuse(server, [2], step="RCPT")
    refuse(server, [3], step="MESSAGE")
    refuse(server, [4], step="DATA")

    following = [*letters[1:], None]
    outcomes = [await session.hand_over(one, then) for one, then in zip(letters, following, strict=True)]
    await session.close()

    assert [outcome.state for outcome in outcomes] == [SENT, REFUSED, REFUSED, REFUSED, SENT]
    assert [mail.recipient for mail in server.received] == [reader(1), reader(5)]
    assert server.connections == 1


async def test_a_refusal_in_doubt_is_a_deferral_in_the_ledger_until_it_is_decided(
    server: SmtpServer, process: Make
) -> None:
    outbox = FakeOutbox.of(3)
    refuse(server, [1])

    await process(outbox, relay_to(server, connections=1)).deliver(message_for)

    assert outbox.history(1) == [SENDING, DEFERRED, REFUSED]
