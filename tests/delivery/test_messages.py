from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from newsletter.core.errors import RenderError
from newsletter.delivery import messages as module
from newsletter.delivery.messages import Messages
from tests.delivery.fakes import PlainMessage, delivery, reader

if TYPE_CHECKING:
    from newsletter.core.delivery import Delivery

DELIVERIES = [delivery(number, reader(number)) for number in range(1, 101)]


class SignedMessage(PlainMessage):
    """Takes long, and tells in which thread it was made."""

    takes_long = True

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[int, list[str]] = {}

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        self.threads.setdefault(delivery.key, []).append(threading.current_thread().name)
        if delivery.key == 13:
            raise RenderError("no address")
        return super().for_reader(delivery)


@pytest.fixture
def signed() -> SignedMessage:
    return SignedMessage()


@pytest.fixture
def messages(signed: SignedMessage, monkeypatch: pytest.MonkeyPatch) -> Messages:
    async def message_for(_: int) -> SignedMessage:
        return signed

    monkeypatch.setattr(module, "_cores", lambda: 2)
    return Messages(message_for)


async def test_letters_that_take_long_are_made_ahead_in_threads_and_once(
    messages: Messages, signed: SignedMessage
) -> None:
    first = await messages.letter(DELIVERIES[0])
    assert first.recipient == DELIVERIES[0].subscriber.email
    messages.prepare(DELIVERIES[1:])
    messages.prepare(DELIVERIES[1:])
    letter = await messages.letter(DELIVERIES[1])
    assert letter.recipient == DELIVERIES[1].subscriber.email
    assert [name.startswith("compose") for name in signed.threads[DELIVERIES[1].key]] == [True]
    messages.end()
    assert len(signed.threads) <= 1 + 64


async def test_a_letter_that_is_not_ready_yet_cannot_be_had_at_once(
    messages: Messages, signed: SignedMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await messages.letter(DELIVERIES[0])
    going_on, plain = threading.Event(), signed.for_reader

    def slow(delivery: Delivery) -> tuple[str, bytes]:
        going_on.wait(10)
        return plain(delivery)

    monkeypatch.setattr(signed, "for_reader", slow)
    messages.prepare(DELIVERIES[1:3])
    assert not messages.can_compose(DELIVERIES[1])
    going_on.set()
    assert (await messages.letter(DELIVERIES[1])).recipient == DELIVERIES[1].subscriber.email
    assert messages.can_compose(DELIVERIES[3])
    messages.end()


async def test_what_is_wrong_with_a_letter_is_told_when_its_turn_comes(messages: Messages) -> None:
    await messages.letter(DELIVERIES[0])
    messages.prepare(DELIVERIES[12:13])
    with pytest.raises(RenderError, match="no address"):
        await messages.letter(DELIVERIES[12])
    messages.end()


async def test_after_the_end_nothing_is_made_ahead_but_what_is_asked_for_is_made(
    messages: Messages, signed: SignedMessage
) -> None:
    await messages.letter(DELIVERIES[0])
    messages.prepare(DELIVERIES[1:])
    messages.end()
    assert (await messages.letter(DELIVERIES[99])).recipient == DELIVERIES[99].subscriber.email
    assert signed.threads[DELIVERIES[99].key] == ["MainThread"]
