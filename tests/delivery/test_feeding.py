"""A session that goes on by itself from one letter to the next."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest
from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import StoreError
from newsletter.delivery.smtp.session import Feed, Letter
from tests.delivery.dialogue import Dialogue, playing
from tests.delivery.test_pipelined import ANN, BEN, EVE, LEAVE, envelope, message

TAKEN = "250 2.0.0 taken"


class Letters(Feed):
    """Gives letters as long as it is asked, and notes what became of those before."""

    def __init__(self, *letters: Letter, goes_on: bool = True, error: Exception | None = None) -> None:
        self._letters = deque(letters)
        self._goes_on, self._error = goes_on, error
        self.settled: list[Outcome] = []

    @override
    def go_on(self, outcome: Outcome) -> bool:
        if self._error:
            raise self._error
        if self._goes_on:
            self.settled.append(outcome)
        return self._goes_on

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
    feed = Letters(goes_on=False)
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


async def test_what_a_feed_cannot_write_down_is_raised_and_nothing_more_is_sent() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("PIPELINING")
        await client.hear("DATA\r\n")
        client.say(*LEAVE)
        await client.hear("DATA\r\n")
        client.say(TAKEN, *LEAVE)
        assert await client.hear_no_more() == b""

    async with playing(server) as relays:
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
