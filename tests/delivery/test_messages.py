from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from newsletter.core.errors import RenderError
from newsletter.delivery import messages as module
from newsletter.delivery.messages import Messages
from tests.delivery.fakes import PlainMessage, delivery, reader

if TYPE_CHECKING:
    from newsletter.core.delivery import Delivery
    from newsletter.ports import Composed

DELIVERIES = [delivery(number, reader(number)) for number in range(1, 101)]


class SignedMessage(PlainMessage):
    """Is signed with its reader's number, and tells in which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[int, list[str]] = {}
        self.may_sign = threading.Event()
        self.may_sign.set()

    def composed_for(self, delivery: Delivery) -> Composed:
        if delivery.key == 13:
            raise RenderError("no address")
        return super().composed_for(delivery)._replace(sign=partial(self._sign, delivery.key))

    def _sign(self, key: int) -> bytes:
        self.may_sign.wait(10)
        self.threads.setdefault(key, []).append(threading.current_thread().name)
        return signature(key)


def signature(key: int) -> bytes:
    return b"Signature: %d\r\n" % key


@pytest.fixture
def signed() -> SignedMessage:
    return SignedMessage()


@pytest.fixture
def messages(signed: SignedMessage, monkeypatch: pytest.MonkeyPatch) -> Messages:
    async def message_for(_: int) -> SignedMessage:
        return signed

    monkeypatch.setattr(module, "_cores", lambda: 2)
    return Messages(message_for)


async def test_letters_are_signed_ahead_in_threads_and_once(messages: Messages, signed: SignedMessage) -> None:
    await messages.letter(DELIVERIES[0])
    messages.prepare(DELIVERIES[1:])
    messages.prepare(DELIVERIES[1:])
    for one in DELIVERIES[1:25]:
        if one.key != 13:
            letter = await messages.letter(one)
            assert (letter.recipient, letter.pieces[0]) == (one.subscriber.email, signature(one.key))
            assert [name.startswith("sign") for name in signed.threads[one.key]] == [True]
    messages.end()


async def test_no_more_letters_are_made_ahead_than_there_is_use_for(
    messages: Messages, signed: SignedMessage
) -> None:
    await messages.letter(DELIVERIES[0])
    for _ in range(20):
        messages.prepare(DELIVERIES[1:])
    await messages.letter(DELIVERIES[50])
    messages.end()
    assert len(signed.threads) <= 1 + 96


async def test_letters_whose_turn_does_not_come_keep_no_others_from_being_made_ahead(
    messages: Messages, signed: SignedMessage
) -> None:
    held_up = [delivery(number, reader(number)) for number in range(201, 301)]
    await messages.letter(DELIVERIES[0])
    for _ in range(20):
        messages.prepare(held_up)
    for start in range(1, 99):
        messages.prepare(DELIVERIES[start:])
        if DELIVERIES[start].key != 13:  # it cannot be made
            await messages.letter(DELIVERIES[start])
    assert {name.startswith("sign") for name in signed.threads[DELIVERIES[98].key]} == {True}
    first = await messages.letter(held_up[0])
    assert first.pieces[0] == signature(held_up[0].key)
    messages.end()


async def test_a_letter_that_is_not_ready_yet_cannot_be_had_at_once(
    messages: Messages, signed: SignedMessage
) -> None:
    await messages.letter(DELIVERIES[0])
    signed.may_sign.clear()
    messages.prepare(DELIVERIES[1:3])
    assert not messages.can_compose(DELIVERIES[1])
    signed.may_sign.set()
    assert (await messages.letter(DELIVERIES[1])).pieces[0] == signature(DELIVERIES[1].key)
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
    assert (await messages.letter(DELIVERIES[99])).pieces[0] == signature(DELIVERIES[99].key)
    assert signed.threads[DELIVERIES[99].key] == ["MainThread"]
