from __future__ import annotations

import asyncio

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp import pipelined
from newsletter.delivery.smtp.session import Letter, SessionOverError
from tests.delivery.dialogue import Dialogue, playing

SENDER = "papers@example.org"
ANN = Letter(SENDER, "ann@example.org", (b"To: ann\r\n\r\nHello Ann\r\n",))
BEN = Letter(SENDER, "ben@example.org", (b"To: ben\r\n\r\nHello Ben\r\n",))
EVE = Letter(SENDER, "eve@example.org", (b"To: eve\r\n\r\nHello Eve\r\n",))
LEAVE = ("250 2.1.0 ok", "250 2.1.5 ok", "354 go on")


def envelope(letter: Letter) -> str:
    return f"MAIL FROM:<{letter.sender}>\r\nRCPT TO:<{letter.recipient}>\r\nDATA\r\n"


def message(letter: Letter) -> str:
    return f"{b''.join(letter.pieces).decode()}.\r\n"


async def test_a_message_takes_two_round_trips() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        assert await client.hear("DATA\r\n") == envelope(ANN)
        client.say(*LEAVE)
        assert await client.hear("\r\n.\r\n") == message(ANN)
        client.say("250 2.0.0 taken")
        assert await client.hear("\r\n") == "QUIT\r\n"
        client.say("221 bye")

    async with playing(server) as relays:
        session = await relays.connect()
        assert (await session.hand_over(ANN)).state is DeliveryState.SENT
        await session.close()


async def test_a_message_whose_envelope_stood_behind_the_last_dot_takes_one() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        assert await client.hear("DATA\r\n") == message(ANN) + envelope(BEN)
        client.say("250 2.0.0 taken", *LEAVE)
        assert await client.hear("DATA\r\n") == message(BEN) + envelope(EVE)
        client.say("250 2.0.0 taken", *LEAVE)
        assert await client.hear("\r\n.\r\n") == message(EVE)
        client.say("250 2.0.0 taken")

    async with playing(server) as relays:
        session = await relays.connect()
        outcomes = [
            await session.hand_over(ANN, following=BEN),
            await session.hand_over(BEN, following=EVE),
            await session.hand_over(EVE),
        ]
        await session.close()

    assert [one.state for one in outcomes] == [DeliveryState.SENT] * 3


async def test_the_answer_to_the_next_envelope_is_never_taken_for_the_answer_to_the_message() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say("garbage", *LEAVE)
        await client.hear_no_more()

    async with playing(server) as relays:
        session = await relays.connect()
        outcome = await session.hand_over(ANN, following=BEN)
        await session.close()
    assert outcome.state is DeliveryState.UNCERTAIN
    assert "garbage" in outcome.text


async def test_an_outcome_is_told_before_the_next_envelope_is_answered() -> None:
    told = asyncio.Event()

    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say("250 2.0.0 taken")
        await told.wait()
        client.say(*LEAVE)
        await client.hear("\r\n.\r\n")
        client.say("250 2.0.0 taken")

    async with playing(server) as relays:
        session = await relays.connect()
        first = await session.hand_over(ANN, following=BEN)
        told.set()
        second = await session.hand_over(BEN)
        await session.close()
    assert first.state is second.state is DeliveryState.SENT


async def test_an_announced_reader_who_is_refused_costs_nothing_but_a_reset() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say("250 2.0.0 taken", "250 ok", "550 5.1.1 no such user", "554 5.5.1 no valid recipients")
        assert await client.hear("DATA\r\n") == "RSET\r\n" + envelope(EVE)
        client.say("250 reset", *LEAVE)
        assert await client.hear("\r\n.\r\n") == message(EVE)
        client.say("250 2.0.0 taken")

    async with playing(server) as relays:
        session = await relays.connect()
        await session.hand_over(ANN, following=BEN)
        refused = await session.hand_over(BEN, following=EVE)
        taken = await session.hand_over(EVE)
        await session.close()

    assert (refused.state, refused.dead_address) == (DeliveryState.REFUSED, True)
    assert taken.state is DeliveryState.SENT


async def test_a_session_that_ends_between_envelope_and_message_leaves_nothing_uncertain() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE, "421 going down", "421 nobody asked")

    async with playing(server) as relays:
        session = await relays.connect()
        with pytest.raises(RelayError, match="was lost"):
            await session.hand_over(ANN)


async def test_a_relay_that_awaits_a_message_for_nobody_gets_a_lone_dot() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say("250 ok", "450 4.2.0 greylisted", "354 go on")
        assert await client.hear("\r\n") == ".\r\n"
        client.say("554 5.5.1 no valid recipients")
        assert await client.hear("DATA\r\n") == "RSET\r\n" + envelope(BEN)
        client.say("250 reset", *LEAVE)
        assert await client.hear("\r\n.\r\n") == message(BEN)
        client.say("250 2.0.0 taken")

    async with playing(server) as relays:
        session = await relays.connect()
        deferred = await session.hand_over(ANN)
        taken = await session.hand_over(BEN)
        await session.close()

    assert (deferred.state, taken.state) == (DeliveryState.DEFERRED, DeliveryState.SENT)


async def test_replies_of_many_lines_and_in_pieces_are_read_as_they_are_meant() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        for piece in (b"250-2.1.0 se", b"nder\r\n250 ok\r\n25", b"0 ok\r", b"\n354", b"-go\r\n354 on\r\n"):
            client.writer.write(piece)
            await client.writer.drain()
            await asyncio.sleep(0)
        await client.hear("\r\n.\r\n")
        client.say("250-2.0.0 queued", "250 as 4711")

    async with playing(server) as relays:
        session = await relays.connect()
        outcome = await session.hand_over(ANN)
        await session.close()

    assert outcome.text == "2.0.0 queued as 4711"


async def swallows(client: Dialogue) -> None:
    """Play a relay that throws away what comes behind a final dot."""
    await client.greet("PIPELINING")
    await client.hear("DATA\r\n")
    client.say(*LEAVE)
    await client.hear("DATA\r\n")
    client.say("250 2.0.0 taken")
    await client.hear_no_more()


async def objects(client: Dialogue) -> None:
    """Play a relay that takes offence at what comes behind a final dot."""
    await client.greet("PIPELINING")
    await client.hear("DATA\r\n")
    client.say(*LEAVE)
    await client.hear("DATA\r\n")
    client.say("250 2.0.0 taken", "554 SMTP synchronization error")


async def drops(client: Dialogue) -> None:
    """Play a relay that closes the connection instead."""
    await client.greet("PIPELINING")
    await client.hear("DATA\r\n")
    client.say(*LEAVE)
    await client.hear("DATA\r\n")
    client.say("250 2.0.0 taken")


@pytest.mark.parametrize("peculiar", [swallows, objects, drops])
async def test_a_relay_that_wants_one_message_at_a_time_gets_it(
    monkeypatch: pytest.MonkeyPatch, peculiar: object
) -> None:
    monkeypatch.setattr(pipelined, "_JOINED_TIMEOUT", 0.05)

    async def plain(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        for letter in (BEN, EVE):
            assert await client.hear("DATA\r\n") == envelope(letter)
            client.say(*LEAVE)
            assert await client.hear("\r\n.\r\n") == message(letter)
            client.say("250 2.0.0 taken")

    async with playing(peculiar, plain) as relays:  # type: ignore[arg-type]
        session = await relays.connect()
        assert session.looks_ahead
        await session.hand_over(ANN, following=BEN)
        with pytest.raises(SessionOverError):
            await session.hand_over(BEN, following=EVE)
        await session.close()

        session = await relays.connect()
        assert not session.looks_ahead
        await session.hand_over(BEN, following=EVE)
        await session.hand_over(EVE)
        await session.close()


async def test_one_session_tries_before_the_others_send_anything_behind_a_dot() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say("250 2.0.0 taken")
        assert await client.hear_no_more() == b""

    async def other(client: Dialogue) -> None:
        await client.greet("PIPELINING")

    async with playing(server, other, other) as relays:
        first, second = await relays.connect(), await relays.connect()

        await first.hand_over(ANN, following=BEN)
        assert not second.looks_ahead
        await first.close()  # without having learnt anything

        assert (await relays.connect()).looks_ahead
        await second.close()


async def test_an_address_that_cannot_be_written_is_not_announced() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        assert await client.hear("\r\n.\r\n") == message(ANN)
        client.say("250 2.0.0 taken")
        assert await client.hear("\r\n") == "QUIT\r\n"

    nobody = Letter(SENDER, "no address", (b"Hello\r\n",))
    async with playing(server) as relays:
        session = await relays.connect()
        await session.hand_over(ANN, following=nobody)
        assert (await session.hand_over(nobody)).state is DeliveryState.REFUSED
        await session.close()


async def test_only_what_was_announced_can_be_sent_next() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say("250 2.0.0 taken", *LEAVE)
        assert await client.hear_no_more() == b""

    async with playing(server) as relays:
        session = await relays.connect()
        await session.hand_over(ANN, following=BEN)
        with pytest.raises(ValueError, match="announced"):
            await session.hand_over(EVE)
        await session.close()


async def test_a_session_that_is_almost_spent_announces_nothing() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")

    async with playing(server, messages_per_connection=1) as relays:
        session = await relays.connect()
        assert not session.looks_ahead
        await session.close()


async def test_an_answer_that_nobody_asked_for_means_the_session_is_lost() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("\r\n.\r\n")
        client.say("250 2.0.0 taken", "250 and once more")
        await client.hear_no_more()

    async with playing(server) as relays:
        session = await relays.connect()
        assert (await session.hand_over(ANN)).state is DeliveryState.SENT
        assert session.spent
        with pytest.raises(RelayError, match="an answer to nothing: 250 and once more"):
            await session.hand_over(BEN)


async def test_a_reply_without_end_is_not_read_to_its_end() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say("250-" + "x" * 40_000)
        await client.hear_no_more()

    async with playing(server) as relays:
        session = await relays.connect()
        with pytest.raises(RelayError, match="endless"):
            await session.hand_over(ANN)
