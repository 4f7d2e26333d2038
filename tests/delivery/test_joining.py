"""Envelopes in the write of the final dot, with servers that do what real ones do with them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError
from newsletter.core.relay import Pipelining, Security
from newsletter.delivery.smtp import experience
from newsletter.delivery.smtp.experience import Joining, Joins, misunderstanding, objects_to_pipelining
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.delivery.smtp.replies import Reply
from newsletter.delivery.smtp.session import Letter, SessionOverError
from newsletter.ports import ChunkReport
from tests.delivery.dialogue import Dialogue, playing
from tests.delivery.fakes import FakeOutbox, message_for, reader
from tests.delivery.mta import Peculiar
from tests.delivery.services import process
from tests.smtp_server import Certificates

SENDER = "papers@example.org"
ANN = Letter(SENDER, "ann@example.org", (b"To: ann\r\n\r\nHello Ann\r\n",))
BEN = Letter(SENDER, "ben@example.org", (b"To: ben\r\n\r\nHello Ben\r\n",))
EVE = Letter(SENDER, "eve@example.org", (b"To: eve\r\n\r\nHello Eve\r\n",))
LEAVE = ("250 2.1.0 ok", "250 2.1.5 ok", "354 go on")
TAKEN = "250 2.0.0 taken"
SECURITIES = [Security.NONE, Security.STARTTLS]


def relay(server: Peculiar, security: Security, ca_file: Path, **changes: object) -> SmtpRelay:
    return SmtpRelay(
        RelayConfig(
            host="127.0.0.1",
            port=server.port,
            security=security,
            ca_file=ca_file,
            ehlo_name="newsletter.example.org",
            **{"connections": 3, "final_timeout": 10.0, **changes},  # type: ignore[arg-type]
        )
    )


# ── Whole issues ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("security", SECURITIES)
@pytest.mark.parametrize(
    "how",
    [
        {"discards": True},
        {"discards": True, "spares": 10},  # the trial passes by chance
        {"objects": "503 5.5.1 Bad sequence of commands - pipelined after end of DATA"},
        {"objects": "503 bad sequence", "spares": 10},
        {"objects": "554 5.5.0 Error: SMTP protocol synchronization"},
        {"objects": "500 what?"},
    ],
    ids=["courier", "courier by chance", "haraka", "haraka by chance", "postscreen", "unknown"],
)
async def test_a_server_that_takes_no_joined_envelope_costs_under_a_second_once(
    certificates: Certificates, ca_file: Path, security: Security, how: dict[str, object]
) -> None:
    server = Peculiar(tls=certificates if security is Security.STARTTLS else None, **how)  # type: ignore[arg-type]
    outbox = FakeOutbox.of(60)
    async with server.running():
        relays = relay(server, security, ca_file)
        began = time.monotonic()

        report = await process(outbox, relays).deliver(message_for)

        took = time.monotonic() - began
        assert relays.joins.state is Joining.FAILS

    assert report == ChunkReport(sent=60)
    assert sorted(server.recipients) == sorted(reader(number) for number in range(1, 61))
    assert took < 3.0  # with all else that it takes, on a busy machine
    assert server.connections <= 3 + 3


@pytest.mark.parametrize("security", SECURITIES)
async def test_a_server_that_takes_them_gets_them(
    certificates: Certificates, ca_file: Path, security: Security
) -> None:
    server = Peculiar(tls=certificates if security is Security.STARTTLS else None, discards=True, spares=1000)
    outbox = FakeOutbox.of(60)
    async with server.running():
        relays = relay(server, security, ca_file)

        report = await process(outbox, relays).deliver(message_for)

        assert relays.joins.state is Joining.WORKS
    assert report == ChunkReport(sent=60)
    assert server.joined >= 50


async def test_without_joining_no_envelope_is_joined(ca_file: Path) -> None:
    server = Peculiar(spares=1000)
    async with server.running():
        report = await process(
            FakeOutbox.of(30), relay(server, Security.NONE, ca_file, pipelining=Pipelining.ENVELOPES)
        ).deliver(message_for)

    assert (report, server.joined) == (ChunkReport(sent=30), 0)


# ── Single sessions ──────────────────────────────────────────────────────────────────────────────────────────────


async def begun(client: Dialogue) -> None:
    """Greet, and take leave to the first message and what comes with its final dot."""
    await client.greet("PIPELINING")
    await client.hear("DATA\r\n")
    client.say(*LEAVE)
    await client.hear("DATA\r\n")


async def one_by_one(client: Dialogue) -> None:
    """Take any number of messages that come one by one."""
    await client.greet("PIPELINING")
    try:
        while True:
            await client.hear("DATA\r\n")
            client.say(*LEAVE)
            await client.hear("\r\n.\r\n")
            client.say(TAKEN)
    except asyncio.IncompleteReadError:
        pass


@pytest.mark.parametrize(
    "answers",
    [
        ["250 2.1.0 ok"],  # the rest was thrown away
        ["250 2.1.0 ok", "250 2.1.5 ok"],
        ["503 5.5.1 need MAIL", "503 5.5.1 need RCPT"],  # MAIL was thrown away
        ["250 2.1.0 ok", "503 5.5.1 out of sequence", "503 5.5.1 out of sequence"],
        ["250 2.1.0 ok", "250 2.1.5 ok", "503 5.5.1 need RCPT"],
        ["550 5.5.1 Protocol error"],
        ["421 4.7.0 improper command pipelining"],
        ["451 4.5.0 SMTP protocol violation, see RFC 2920: pipelining"],
    ],
)
async def test_every_way_not_to_understand_an_envelope_leads_back(answers: list[str]) -> None:
    async def server(client: Dialogue) -> None:
        await begun(client)
        client.say(TAKEN, *answers)
        await client.hear_no_more()

    async with playing(server, one_by_one) as relays:
        session = await relays.connect()
        assert (await session.hand_over(ANN, following=BEN)).state is DeliveryState.SENT
        began = time.monotonic()
        with pytest.raises(SessionOverError):
            await session.hand_over(BEN, following=EVE)
        assert time.monotonic() - began < 1.0
        await session.close()

        assert relays.joins.state is Joining.FAILS
        session = await relays.connect()
        assert not session.looks_ahead
        for letter in (BEN, EVE):
            assert (await session.hand_over(letter)).state is DeliveryState.SENT
        await session.close()


async def test_a_relay_that_takes_long_over_a_message_is_waited_for_and_not_mistaken() -> None:
    async def server(client: Dialogue) -> None:
        await begun(client)
        await asyncio.sleep(0.8)  # longer than an envelope has
        client.say(TAKEN, *LEAVE)
        await client.hear("\r\n.\r\n")
        client.say(TAKEN)

    async with playing(server) as relays:
        session = await relays.connect()
        outcomes = [await session.hand_over(ANN, following=BEN), await session.hand_over(BEN)]
        await session.close()

        assert [one.state for one in outcomes] == [DeliveryState.SENT] * 2
        assert relays.joins.state is Joining.WORKS


async def test_a_relay_whose_envelopes_take_long_has_longer_for_joined_ones() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        await asyncio.sleep(0.4)
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say(TAKEN)
        await asyncio.sleep(0.9)
        client.say(*LEAVE)
        await client.hear("\r\n.\r\n")
        client.say(TAKEN)

    async with playing(server) as relays:
        session = await relays.connect()
        outcomes = [await session.hand_over(ANN, following=BEN), await session.hand_over(BEN)]
        await session.close()

        assert [one.state for one in outcomes] == [DeliveryState.SENT] * 2
        assert relays.joins.state is Joining.WORKS


async def test_a_message_whose_joined_write_is_never_answered_is_uncertain_and_the_last_of_its_kind() -> None:
    async def server(client: Dialogue) -> None:
        await begun(client)
        await client.hear_no_more()

    async with playing(server, one_by_one, final_timeout=0.2) as relays:
        session = await relays.connect()
        outcome = await session.hand_over(ANN, following=BEN)
        await session.close()

        assert outcome.state is DeliveryState.UNCERTAIN
        assert relays.joins.state is Joining.FAILS
        session = await relays.connect()
        assert (await session.hand_over(BEN)).state is DeliveryState.SENT
        await session.close()


@pytest.mark.parametrize("known", [Joining.UNTRIED, Joining.WORKS])
async def test_a_session_that_is_cut_off_by_us_says_nothing_of_joined_envelopes(known: Joining) -> None:
    hanging = asyncio.Event()

    async def server(client: Dialogue) -> None:
        await begun(client)
        hanging.set()
        await client.hear_no_more()

    async with playing(server) as relays:
        if known is Joining.WORKS:
            relays.joins.begin()
            relays.joins.worked()
        session = await relays.connect()
        handing_over = asyncio.create_task(session.hand_over(ANN, following=BEN))
        async with asyncio.timeout(10):
            await hanging.wait()
        await session.close()

        assert (await handing_over).state is DeliveryState.UNCERTAIN
        assert relays.joins.state is known


@pytest.mark.parametrize("reply", ["554 5.5.0 Error: SMTP protocol synchronization", "503 bad sequence"])
async def test_a_message_that_is_refused_for_what_came_with_it_comes_again(reply: str) -> None:
    async def server(client: Dialogue) -> None:
        await begun(client)
        client.say(reply)
        await client.hear_no_more()

    async with playing(server, one_by_one) as relays:
        session = await relays.connect()
        with pytest.raises(SessionOverError):
            await session.hand_over(ANN, following=BEN)
        await session.close()

        session = await relays.connect()
        assert (await session.hand_over(ANN)).state is DeliveryState.SENT
        await session.close()
        assert relays.joins.state is Joining.FAILS


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        (["250 ok", "550 5.1.1 no such user", "554 5.5.1 no valid recipients"], DeliveryState.REFUSED),
        (["250 ok", "550 5.5.0 mailbox unavailable", "503 need RCPT"], DeliveryState.REFUSED),
        (["250 ok", "452 4.2.2 full", "554 5.5.1 no valid recipients"], DeliveryState.DEFERRED),
        (["250 ok", "250 ok", "451 4.3.0 later"], DeliveryState.DEFERRED),
    ],
)
async def test_what_a_relay_says_of_a_reader_is_no_misunderstanding(
    answers: list[str], state: DeliveryState
) -> None:
    async def server(client: Dialogue) -> None:
        await begun(client)
        client.say(TAKEN, *answers)
        await client.hear_no_more()

    async with playing(server) as relays:
        session = await relays.connect()
        await session.hand_over(ANN, following=BEN)
        assert (await session.hand_over(BEN)).state is state
        await session.close()
        assert relays.joins.state is Joining.WORKS


async def test_a_sender_who_is_refused_in_a_joined_envelope_is_asked_about_once_more_by_itself() -> None:
    async def server(client: Dialogue) -> None:
        await begun(client)
        client.say(TAKEN, "452 4.3.1 no space", "503 need MAIL", "503 need RCPT")
        await client.hear_no_more()

    async def again(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say("452 4.3.1 no space", "503 need MAIL", "503 need RCPT")
        await client.hear_no_more()

    async with playing(server, again) as relays:
        session = await relays.connect()
        await session.hand_over(ANN, following=BEN)
        with pytest.raises(SessionOverError):
            await session.hand_over(BEN)
        await session.close()
        assert relays.joins.state is Joining.UNTRIED  # it may have had nothing to do with it

        session = await relays.connect()
        with pytest.raises(RelayError, match="no space"):
            await session.hand_over(BEN)
        await session.close()


# ── What is known ────────────────────────────────────────────────────────────────────────────────────────────────


def known_to_work(times: int) -> Joins:
    joins = Joins("relay.example.org:25")
    assert joins.begin()
    for _ in range(times):
        joins.worked()
    return joins


async def test_one_session_tries_at_a_time() -> None:
    joins = Joins("relay.example.org:25")

    assert joins.begin()
    assert (joins.state, joins.begin(), joins.may_join) == (Joining.BEING_TRIED, False, False)
    joins.left_off()
    assert joins.begin()
    joins.worked()
    assert (joins.state, joins.begin(), joins.begin()) == (Joining.WORKS, True, True)


async def test_a_relay_that_ends_all_sessions_at_once_has_had_one_accident() -> None:
    joins = known_to_work(1)
    for _ in range(3):
        joins.failed("closed by the relay", excused_after=1)
    assert joins.may_join

    assert joins.begin()
    joins.failed("closed by the relay", excused_after=1)
    assert (joins.state, joins.may_join) == (Joining.FAILS, False)


async def test_what_has_long_worked_is_tried_again_after_an_accident_and_then_left_alone() -> None:
    joins = known_to_work(100)

    joins.failed("no answer", excused_after=100)
    assert joins.state is Joining.UNTRIED
    assert joins.begin()
    joins.failed("no answer", excused_after=100)
    assert (joins.state, joins.reason) == (Joining.FAILS, "no answer")


async def test_what_has_not_worked_long_is_left_alone_at_once() -> None:
    joins = known_to_work(99)

    joins.failed("no answer", excused_after=100)

    assert joins.state is Joining.FAILS


async def test_trials_without_a_result_are_few() -> None:
    joins = Joins("relay.example.org:25")
    for _ in range(3):
        assert joins.begin()
        joins.undecided("421 too many")

    assert joins.state is Joining.FAILS


async def test_a_failure_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(experience, "REMEMBERED", 0.05)
    heard: list[str] = []
    joins = Joins("relay.example.org:25")
    joins.on_change = heard.append

    assert joins.begin()
    joins.failed("thrown away")
    before = joins.state
    await asyncio.sleep(0.06)
    after = joins.state
    assert joins.begin()
    joins.worked()

    assert (before, after, joins.state) == (Joining.FAILS, Joining.UNTRIED, Joining.WORKS)
    assert heard == ["relay.example.org:25"] * 2  # that it fails, and that it works again


async def test_what_another_process_saw_counts_as_long_as_it_could_have_been_noted_for() -> None:
    joins, loop = Joins("relay.example.org:25"), asyncio.get_running_loop()

    assert joins.recall("thrown away", loop.time() + 1e9)
    assert not joins.recall("thrown away", loop.time() + 1e9)

    assert joins.state is Joining.FAILS
    assert joins.tried_again_at <= loop.time() + experience.REMEMBERED


codes = st.integers(min_value=200, max_value=599)
replies = st.builds(Reply, codes, st.text(max_size=40))


@given(st.tuples(replies, replies, replies))
def test_only_an_answer_that_refuses_can_be_a_misunderstanding(answers: tuple[Reply, Reply, Reply]) -> None:
    wrong = misunderstanding(answers)

    assert wrong is None or (wrong in answers and wrong.kind in {4, 5})


@given(replies)
def test_a_reply_that_takes_something_objects_to_nothing(reply: Reply) -> None:
    if reply.kind in {2, 3}:
        assert not objects_to_pipelining(reply)
