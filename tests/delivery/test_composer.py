from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from functools import partial

import pytest

from newsletter.core.delivery import Delivery
from newsletter.core.errors import RenderError
from newsletter.delivery.messages import signatures
from newsletter.delivery.messages.composer import Composer
from newsletter.delivery.messages.signatures import Signatures
from newsletter.ports import Composed
from tests.delivery.fakes import PlainMessage, delivery, reader

DELIVERIES = [delivery(number, reader(number)) for number in range(1, 101)]


class SignedMessage(PlainMessage):
    """Is signed with its reader's number, and tells in which thread."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[int, list[str]] = {}
        self.may_sign, self._begun = threading.Event(), threading.Event()
        self.may_sign.set()
        self._signed: dict[int, threading.Event] = defaultdict(threading.Event)

    async def until_begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, 10)

    async def until_signed(self, delivery: Delivery) -> None:
        assert await asyncio.to_thread(self._signed[delivery.key].wait, 10)

    def composed_for(self, delivery: Delivery) -> Composed:
        if delivery.key == 13:
            raise RenderError("no address")
        return super().composed_for(delivery)._replace(sign=partial(self._sign, delivery.key))

    def _sign(self, key: int) -> bytes:
        self._begun.set()
        self.may_sign.wait(10)
        self.threads.setdefault(key, []).append(threading.current_thread().name)
        self._signed[key].set()
        return signature(key)


def signature(key: int) -> bytes:
    return b"Signature: %d\r\n" % key


@pytest.fixture
def signed() -> SignedMessage:
    return SignedMessage()


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Signatures]:
    monkeypatch.setattr(signatures, "cores", lambda: 2)
    at_work = Signatures()
    yield at_work
    at_work.end()


@pytest.fixture
def composer(signed: SignedMessage, at_work: Signatures) -> Composer:
    async def message() -> SignedMessage:
        return signed

    return Composer(message, at_work)


async def test_letters_are_signed_ahead_in_threads_and_once(composer: Composer, signed: SignedMessage) -> None:
    await composer.letter(DELIVERIES[0])
    composer.prepare(DELIVERIES[1:])
    composer.prepare(DELIVERIES[1:])
    upcoming = [one for one in DELIVERIES[1:25] if one.key != 13]
    await signed.until_signed(upcoming[-1])
    for one in upcoming:
        letter = await composer.letter(one)
        assert (letter.recipient, letter.pieces[0]) == (one.subscriber.email, signature(one.key))
        assert [name.startswith("sign") for name in signed.threads[one.key]] == [True]
    composer.end()


async def test_no_more_letters_are_made_ahead_than_there_is_use_for(
    composer: Composer, signed: SignedMessage
) -> None:
    await composer.letter(DELIVERIES[0])
    for _ in range(20):
        composer.prepare(DELIVERIES[1:])
    await composer.letter(DELIVERIES[50])
    composer.end()
    assert len(signed.threads) <= 1 + 96


async def test_letters_whose_turn_does_not_come_keep_no_others_from_being_made_ahead(
    composer: Composer, signed: SignedMessage
) -> None:
    held_up = [delivery(number, reader(number)) for number in range(201, 301)]
    await composer.letter(DELIVERIES[0])
    for _ in range(20):
        composer.prepare(held_up)
    for start in range(1, 99):
        composer.prepare(DELIVERIES[start:])
        if DELIVERIES[start].key != 13:  # it cannot be made
            await composer.letter(DELIVERIES[start])
    composer.prepare(DELIVERIES[99:])
    await signed.until_signed(DELIVERIES[99])
    first = await composer.letter(held_up[0])
    assert first.pieces[0] == signature(held_up[0].key)
    composer.end()


async def test_a_letter_whose_signature_a_thread_is_about_cannot_be_had_at_once(
    composer: Composer, signed: SignedMessage
) -> None:
    await composer.letter(DELIVERIES[0])
    signed.may_sign.clear()
    composer.prepare(DELIVERIES[1:3])
    await signed.until_begun()
    assert not composer.letter_at_once(DELIVERIES[1], ())
    signed.may_sign.set()
    assert (await composer.letter(DELIVERIES[1])).pieces[0] == signature(DELIVERIES[1].key)
    assert composer.letter_at_once(DELIVERIES[3], ())
    composer.end()


async def test_a_letter_of_an_issue_that_is_not_rendered_cannot_be_had_at_once(composer: Composer) -> None:
    assert not composer.letter_at_once(DELIVERIES[0], ())
    composer.end()


async def test_what_is_wrong_with_a_letter_is_told_when_its_turn_comes(composer: Composer) -> None:
    await composer.letter(DELIVERIES[0])
    composer.prepare(DELIVERIES[12:13])
    with pytest.raises(RenderError, match="no address"):
        await composer.letter(DELIVERIES[12])
    composer.end()


async def test_after_the_end_nothing_is_made_ahead_but_what_is_asked_for_is_made(
    composer: Composer, signed: SignedMessage
) -> None:
    await composer.letter(DELIVERIES[0])
    composer.prepare(DELIVERIES[1:])
    composer.end()
    assert (await composer.letter(DELIVERIES[99])).pieces[0] == signature(DELIVERIES[99].key)
    assert signed.threads[DELIVERIES[99].key] == ["MainThread"]
