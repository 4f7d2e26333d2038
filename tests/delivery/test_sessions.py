from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiosmtplib import SMTP

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError
from newsletter.core.relay import Pipelining
from newsletter.delivery.smtp.pipelined import PipelinedSession
from newsletter.delivery.smtp.session import Session, SessionOverError
from newsletter.delivery.smtp.stepwise import StepwiseSession
from newsletter.delivery.smtp.write_queue import WriteQueue
from tests.delivery.fakes import SENDER
from tests.delivery.services import relay_to, send
from tests.smtp_server import CUT, DROP, HANG, SmtpServer

MESSAGE = b"From: papers@example.org\r\nTo: ann@example.org\r\n\r\nHello\r\n.\r\n..dots\r\n"
ANN, BEN, EVE = "ann@example.org", "ben@example.org", "eve@example.org"


@pytest.fixture(params=[Pipelining.MESSAGES, Pipelining.OFF], ids=["pipelined", "one by one"])
def pipelining(request: pytest.FixtureRequest) -> Pipelining:
    """Run a test with both kinds of sessions."""
    return Pipelining(request.param)


@pytest.fixture
async def session(server: SmtpServer, pipelining: Pipelining) -> AsyncIterator[Session]:
    session = await relay_to(server, pipelining=pipelining).connect()
    yield session
    await session.close()


def test_the_sessions_are_of_two_kinds(session: Session, pipelining: Pipelining) -> None:
    assert isinstance(session, StepwiseSession if pipelining is Pipelining.OFF else PipelinedSession)


async def test_a_message_arrives_as_it_was_handed_over(server: SmtpServer, session: Session) -> None:
    outcome = await send(session, SENDER, ANN, MESSAGE)

    assert (outcome.state, outcome.code, outcome.text) == (DeliveryState.SENT, 250, "2.0.0 taken")
    assert outcome.relay == f"127.0.0.1:{server.port}"
    assert [(mail.sender, mail.recipient, mail.content) for mail in server.received] == [(SENDER, ANN, MESSAGE)]


async def test_the_relay_gets_the_same_bytes_as_from_aiosmtplibs_own_sendmail(
    server: SmtpServer, session: Session
) -> None:
    async with SMTP(hostname=server.host, port=server.port, start_tls=False, local_hostname="here") as reference:
        await reference.sendmail(SENDER, [ANN], MESSAGE)

    await send(session, SENDER, ANN, MESSAGE)

    theirs, ours = server.received
    assert theirs.content == ours.content
    assert [option.upper() for option in theirs.options] == list(ours.options)


async def test_one_session_carries_many_messages(server: SmtpServer, session: Session) -> None:
    for number in range(5):
        await send(session, SENDER, f"reader{number}@example.org", MESSAGE)

    assert len(server.received) == 5
    assert server.connections == 1


async def test_a_session_is_spent_after_its_share_of_messages(server: SmtpServer, pipelining: Pipelining) -> None:
    session = await relay_to(server, pipelining=pipelining, messages_per_connection=2).connect()

    await send(session, SENDER, ANN, MESSAGE)
    assert not session.spent
    await send(session, SENDER, BEN, MESSAGE)
    assert session.spent
    await session.close()


@pytest.mark.parametrize("step", ["RCPT", "DATA", "MESSAGE"])
async def test_a_deferral_leaves_the_session_fit_for_the_next_reader(
    server: SmtpServer, session: Session, step: str
) -> None:
    server.answer(step, "451 4.3.0 later", address=BEN)

    outcomes = [await send(session, SENDER, one, MESSAGE) for one in (ANN, BEN, EVE)]

    assert [one.state for one in outcomes] == [DeliveryState.SENT, DeliveryState.DEFERRED, DeliveryState.SENT]
    assert [mail.recipient for mail in server.received] == [ANN, EVE]
    assert server.connections == 1


async def test_a_refusal_names_the_code_and_leaves_the_session_fit(server: SmtpServer, session: Session) -> None:
    server.answer("RCPT", "550 5.1.1 no such user", address=BEN)

    outcomes = [await send(session, SENDER, one, MESSAGE) for one in (BEN, ANN)]

    assert [one.state for one in outcomes] == [DeliveryState.REFUSED, DeliveryState.SENT]
    assert (outcomes[0].code, outcomes[0].text, outcomes[0].dead_address) == (550, "5.1.1 no such user", True)


async def test_an_address_that_cannot_be_written_is_refused_without_a_word_to_the_relay(
    server: SmtpServer, session: Session
) -> None:
    outcome = await send(session, SENDER, "no address", MESSAGE)

    assert (outcome.state, outcome.dead_address) == (DeliveryState.REFUSED, False)
    assert server.told == []
    assert (await send(session, SENDER, ANN, MESSAGE)).state is DeliveryState.SENT


async def test_a_non_ascii_reader_gets_mail_over_smtputf8_and_so_does_the_next_one(
    server: SmtpServer, session: Session
) -> None:
    outcomes = [await send(session, SENDER, one, MESSAGE) for one in ("jörg@bücher.example", ANN)]

    assert [one.state for one in outcomes] == [DeliveryState.SENT] * 2
    assert [mail.recipient for mail in server.received] == ["jörg@xn--bcher-kva.example", ANN]
    assert ["SMTPUTF8" in mail.options for mail in server.received] == [True, False]


async def test_a_non_ascii_reader_is_refused_by_name_where_the_relay_lacks_smtputf8(
    pipelining: Pipelining,
) -> None:
    async with SmtpServer(smtputf8=False) as server:
        session = await relay_to(server, pipelining=pipelining).connect()

        outcomes = [await send(session, SENDER, one, MESSAGE) for one in ("jörg@bücher.example", ANN)]
        await session.close()

    assert [one.state for one in outcomes] == [DeliveryState.REFUSED, DeliveryState.SENT]
    assert "SMTPUTF8" in outcomes[0].text


async def test_a_message_that_is_too_big_is_our_trouble_and_never_sent(pipelining: Pipelining) -> None:
    async with SmtpServer(size=10) as server:
        session = await relay_to(server, pipelining=pipelining).connect()

        with pytest.raises(RelayError, match="up to 10 bytes"):
            await send(session, SENDER, ANN, MESSAGE)
        await session.close()

        assert not any(command.startswith("MAIL") for command in server.told)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", ["421 4.7.0 closing", "530 5.7.0 log in first", "garbage", DROP])
async def test_trouble_before_the_message_is_no_outcome(
    server: SmtpServer, session: Session, step: str, reply: str
) -> None:
    server.answer(step, reply)

    with pytest.raises(RelayError, match=rf"127\.0\.0\.1:{server.port}"):
        await send(session, SENDER, ANN, MESSAGE)

    assert server.received == []


async def test_a_relay_that_stops_answering_before_the_message_is_trouble(
    server: SmtpServer, pipelining: Pipelining
) -> None:
    session = await relay_to(server, pipelining=pipelining, timeout=0.05).connect()
    server.answer("RCPT", HANG)

    with pytest.raises(RelayError, match=r"was lost: (Timed out|no answer)"):
        await send(session, SENDER, ANN, MESSAGE)
    await session.close()

    assert session.spent


async def test_a_421_in_answer_to_the_message_is_trouble_and_not_uncertain(
    server: SmtpServer, session: Session
) -> None:
    server.answer("MESSAGE", "421 4.3.2 shutting down")

    with pytest.raises(RelayError, match="shutting down"):
        await send(session, SENDER, ANN, MESSAGE)


@pytest.mark.parametrize("reply", [DROP, "garbage"])
async def test_a_connection_lost_behind_the_message_leaves_it_uncertain(
    server: SmtpServer, session: Session, reply: str
) -> None:
    server.answer("MESSAGE", reply)

    outcome = await send(session, SENDER, ANN, MESSAGE)

    assert outcome.state is DeliveryState.UNCERTAIN
    assert "lost before the answer" in outcome.text
    assert session.spent


async def test_a_relay_that_never_answers_for_the_message_leaves_it_uncertain(
    server: SmtpServer, pipelining: Pipelining
) -> None:
    session = await relay_to(server, pipelining=pipelining, final_timeout=0.05).connect()
    server.answer("MESSAGE", HANG)

    assert (await send(session, SENDER, ANN, MESSAGE)).state is DeliveryState.UNCERTAIN
    assert session.spent


async def test_closing_a_session_in_the_middle_of_a_message_cuts_it_off(
    server: SmtpServer, session: Session
) -> None:
    server.answer("RCPT", HANG)
    sending = asyncio.create_task(send(session, SENDER, ANN, MESSAGE))
    await server.wait_for(lambda: len(server.told) == 2)

    await session.close()

    with pytest.raises(RelayError):
        await sending
    assert "QUIT" not in server.told


async def test_a_session_says_goodbye(server: SmtpServer, pipelining: Pipelining) -> None:
    session = await relay_to(server, pipelining=pipelining).connect()

    await session.close()
    await session.close()

    assert server.told == ["QUIT"]


async def test_a_connection_lost_while_the_message_is_going_out_is_trouble(server: SmtpServer) -> None:
    session = await relay_to(server).connect()
    server.answer("DATA", CUT)

    with pytest.raises(RelayError, match="in the middle of a message"):
        await send(session, SENDER, ANN, MESSAGE + b"x" * 20_000_000)


async def test_a_session_cut_off_before_its_message_has_gone_out_leaves_nothing_uncertain(
    server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await relay_to(server).connect()
    closing: list[asyncio.Task[None]] = []

    def cut_off(_: WriteQueue, __: Callable[[], None]) -> None:
        closing.append(asyncio.create_task(session.close()))

    monkeypatch.setattr(WriteQueue, "add", cut_off)

    with pytest.raises(RelayError, match="was lost: closed by us"):
        await send(session, SENDER, ANN, MESSAGE)

    await asyncio.gather(*closing)
    assert server.received == []


async def test_a_message_that_has_not_gone_out_does_not_follow_a_goodbye(
    server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await relay_to(server).connect()
    given = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(WriteQueue, "add", lambda _, write: given.set_result(write))
    sending = asyncio.create_task(send(session, SENDER, ANN, MESSAGE))
    write = await given
    sending.cancel()
    await asyncio.wait([sending])

    closing = asyncio.create_task(session.close())
    await asyncio.sleep(0.05)
    write()
    await closing

    assert "QUIT" not in server.told
    assert server.received == []


async def test_one_by_one_such_a_loss_is_uncertain_because_it_cannot_be_told(server: SmtpServer) -> None:
    session = await relay_to(server, pipelining=Pipelining.OFF).connect()
    server.answer("DATA", CUT)

    outcome = await send(session, SENDER, ANN, MESSAGE + b"x" * 20_000_000)

    assert outcome.state is DeliveryState.UNCERTAIN


@pytest.mark.parametrize("ending", ["421 4.7.0 that was enough", DROP])
async def test_a_relay_that_ends_a_session_after_a_message_asks_for_a_new_one(
    server: SmtpServer, session: Session, ending: str
) -> None:
    await send(session, SENDER, ANN, MESSAGE)
    server.answer("MAIL", ending)

    with pytest.raises(SessionOverError):
        await send(session, SENDER, BEN, MESSAGE)

    assert session.spent


async def test_a_server_without_pipelining_is_talked_to_one_command_at_a_time() -> None:
    async with SmtpServer(extensions=()) as server:
        session = await relay_to(server).connect()

        assert isinstance(session, StepwiseSession)
        assert (await send(session, SENDER, ANN, MESSAGE)).state is DeliveryState.SENT
        await session.close()
