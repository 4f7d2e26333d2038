"""A session that goes on by itself from one letter to the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import pytest
from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import StoreError
from newsletter.delivery.smtp.session import Feed, Going, Letter, SessionOverError, WithdrawnError
from tests.delivery.dialogue import Dialogue, playing
from tests.delivery.test_pipelined import ANN, BEN, EVE, LEAVE, envelope, message

TAKEN = "250 2.0.0 taken"


class Letters(Feed):
    """Gives letters as long as it is asked, and notes what became of those before.

    Those that are begun later are so when the test calls what is in `begun`.
    """

    def __init__(self, *letters: Letter, going: Going = Going.NOW, error: Exception | None = None) -> None:
        self._letters = deque(letters)
        self._going, self._error = going, error
        self.settled: list[Outcome] = []
        self.begun: asyncio.Queue[Callable[[BaseException | None], None]] = asyncio.Queue()

    @override
    def go_on(self, outcome: Outcome, begun: Callable[[BaseException | None], None]) -> Going:
        if self._error:
            raise self._error
        if self._going is not Going.NO:
            self.settled.append(outcome)
        if self._going is Going.LATER:
            self.begun.put_nowait(begun)
        return self._going

    @override
    def look_ahead(self) -> Letter | None:
        return self._letters.popleft() if self._letters else None


async def takes_three(client: Dialogue) -> None:
    await client.greet("PIPELINING")
    await client.hear("DATA\r\n")
    client.say(*LEAVE)
    for letter, following in ((ANN, BEN), (BEN, EVE)):
        assert await client.hear("DATA\r\n") == message(letter) + envelope(following)
        client.say(TAKEN, *LEAVE)
    assert await client.hear("\r\n.\r\n") == message(EVE)
    client.say(TAKEN)
    await client.hear("QUIT\r\n")


async def test_one_call_hands_over_letter_after_letter_while_all_are_taken() -> None:
    feed = Letters(EVE)
    async with playing(takes_three) as relays:
        session = await relays.connect()
        outcome = await session.hand_over(ANN, BEN, feed)
        await session.close()

    assert [one.state for one in (*feed.settled, outcome)] == [DeliveryState.SENT] * 3


async def test_a_feed_that_has_to_wait_is_asked_again_for_each_letter() -> None:
    feed = Letters(going=Going.NO)
    async with playing(takes_three) as relays:
        session = await relays.connect()
        outcomes = [
            await session.hand_over(ANN, BEN, feed),
            await session.hand_over(BEN, EVE, feed),
            await session.hand_over(EVE, None, feed),
        ]
        await session.close()

    assert [one.state for one in outcomes] == [DeliveryState.SENT] * 3
    assert feed.settled == []


@pytest.mark.parametrize("answer", [(TAKEN,), ("451 4.7.1 later", *LEAVE)])
async def test_whatever_is_not_usual_ends_the_call(answer: tuple[str, ...]) -> None:
    heard = asyncio.Event()

    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say(*answer)
        await heard.wait()
        client.say(*(() if LEAVE[0] in answer else LEAVE))
        assert await client.hear("\r\n.\r\n") == message(BEN)
        client.say(TAKEN)

    feed = Letters(EVE)
    async with playing(server) as relays:
        session = await relays.connect()
        first = await session.hand_over(ANN, BEN, feed)
        heard.set()
        second = await session.hand_over(BEN)
        await session.close()

    assert first.code == int(answer[0][:3])
    assert second.state is DeliveryState.SENT
    assert feed.settled == []


async def takes_one(client: Dialogue) -> None:
    """Take one letter and the next one's envelope, and nothing more."""
    await client.greet("PIPELINING")
    await client.hear("DATA\r\n")
    client.say(*LEAVE)
    await client.hear("DATA\r\n")
    client.say(TAKEN, *LEAVE)
    assert await client.hear_no_more() == b""


async def test_what_a_feed_cannot_write_down_is_raised_and_nothing_more_is_sent() -> None:
    async with playing(takes_one) as relays:
        session = await relays.connect()
        with pytest.raises(StoreError, match="full"):
            await session.hand_over(ANN, BEN, Letters(EVE, error=StoreError("the disk is full")))
        await session.close()


async def test_a_relay_that_falls_silent_is_given_up_although_it_took_others_before() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say(TAKEN, *LEAVE)
        await client.hear("DATA\r\n")
        await client.hear_no_more()

    feed = Letters(EVE)
    async with playing(server, final_timeout=0.2) as relays:
        session = await relays.connect()
        outcome = await session.hand_over(ANN, BEN, feed)
        await session.close()

    assert [one.state for one in (*feed.settled, outcome)] == [DeliveryState.SENT, DeliveryState.UNCERTAIN]


async def test_a_letter_is_sent_when_its_intent_is_written_and_no_sooner() -> None:
    feed = Letters(EVE, going=Going.LATER)
    async with playing(takes_three, final_timeout=0.2) as relays:
        session = await relays.connect()
        handing_over = asyncio.create_task(session.hand_over(ANN, BEN, feed))
        begun = await feed.begun.get()
        await asyncio.sleep(0.3)  # the relay has answered: its patience is not asked for
        assert feed.begun.empty()
        begun(None)
        (await feed.begun.get())(None)
        outcome = await handing_over
        await session.close()

    assert [one.state for one in (*feed.settled, outcome)] == [DeliveryState.SENT] * 3


@pytest.mark.parametrize("error", [WithdrawnError("withdrawn"), StoreError("the database is away")])
async def test_a_letter_whose_intent_could_not_be_written_is_not_sent(error: Exception) -> None:
    feed = Letters(EVE, going=Going.LATER)
    async with playing(takes_one) as relays:
        session = await relays.connect()
        handing_over = asyncio.create_task(session.hand_over(ANN, BEN, feed))
        begun = await feed.begun.get()
        begun(error)
        with pytest.raises(type(error), match=str(error)):
            await handing_over
        begun(None)  # whatever comes now, nothing is sent
        await session.close()

    assert len(feed.settled) == 1


@pytest.mark.parametrize("cut_off", ["closed", "cancelled"])
async def test_a_session_that_ends_while_an_intent_is_written_sends_nothing_more(cut_off: str) -> None:
    feed = Letters(EVE, going=Going.LATER)
    async with playing(takes_one) as relays:
        session = await relays.connect()
        handing_over = asyncio.create_task(session.hand_over(ANN, BEN, feed))
        begun = await feed.begun.get()
        if cut_off == "closed":
            await session.close()
        else:
            handing_over.cancel()
        await asyncio.sleep(0.01)
        assert handing_over.done() is (cut_off == "cancelled")
        begun(None)
        with pytest.raises(SessionOverError if cut_off == "closed" else asyncio.CancelledError):
            await handing_over
        await session.close()

    assert len(feed.settled) == 1
