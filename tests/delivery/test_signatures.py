from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import pytest

from newsletter.delivery.messages import signatures as module
from newsletter.delivery.messages.signatures import Signatures

HERE = "MainThread"


class Pen:
    """Makes one signature, and remembers in which threads it did."""

    def __init__(self, text: bytes = b"me", may_sign: threading.Event | None = None) -> None:
        self._text, self._may_sign = text, may_sign
        self.begun = threading.Event()
        self.threads: list[str] = []

    def __call__(self) -> bytes:
        self.begun.set()
        if self._may_sign:
            self._may_sign.wait(10)
        self.threads.append(threading.current_thread().name)
        return self._text


class Broken(Pen):
    """Has no ink."""

    def __call__(self) -> bytes:
        raise ValueError("no ink")


def pens(count: int) -> list[Pen]:
    return [Pen(b"%d" % number) for number in range(count)]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Signatures:
    monkeypatch.setattr(module, "cores", lambda: 1)
    return Signatures()


@pytest.fixture
def threaded(monkeypatch: pytest.MonkeyPatch) -> Signatures:
    monkeypatch.setattr(module, "cores", lambda: 2)
    return Signatures()


async def test_on_one_core_they_are_made_some_at_a_time_when_they_are_needed(alone: Signatures) -> None:
    own = pens(40)
    begun = alone.begin(own)
    assert [pen.threads for pen in own] == [[]] * 40
    assert alone.has(begun[20])
    assert [len(pen.threads) for pen in own] == [0] * 16 + [1] * 16 + [0] * 8
    for signature in begun:
        await alone.wait_for(signature)
    assert [signature.value() for signature in begun] == [b"%d" % number for number in range(40)]
    assert [pen.threads for pen in own] == [[HERE]] * 40
    alone.end()


async def test_who_would_wait_for_a_thread_makes_what_is_needed_next(threaded: Signatures) -> None:
    may_sign = threading.Event()
    slow, others = Pen(may_sign=may_sign), pens(11)
    first, *later = threaded.begin([slow, *others])
    assert await asyncio.to_thread(slow.begun.wait, 10)
    assert not threaded.has(first)
    assert [pen.threads for pen in others] == [[]] * 3 + [[HERE]] * 4 + [[]] * 4
    assert not threaded.has(first)
    assert not threaded.has(first)  # though nothing is left to do meanwhile
    assert [pen.threads for pen in others] == [[]] * 3 + [[HERE]] * 8
    may_sign.set()
    await threaded.wait_for(first)
    assert first.value() == b"me"
    assert [pen.threads for pen in others[:3]] == [["sign_0"]] * 3
    assert [signature.value() for signature in later] == [b"%d" % number for number in range(11)]
    threaded.end()


async def test_waiting_for_one_may_be_given_up(threaded: Signatures) -> None:
    may_sign = threading.Event()
    slow = Pen(may_sign=may_sign)
    (signature,) = threaded.begin([slow])
    assert await asyncio.to_thread(slow.begun.wait, 10)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await threaded.wait_for(signature)
    may_sign.set()
    await threaded.wait_for(signature)
    assert signature.value() == b"me"
    threaded.end()


async def test_what_threads_had_not_begun_at_the_end_can_still_be_had(threaded: Signatures) -> None:
    may_sign = threading.Event()
    slow, others = Pen(may_sign=may_sign), pens(7)
    *_, last = threaded.begin([slow, *others])
    assert await asyncio.to_thread(slow.begun.wait, 10)
    threaded.end()
    may_sign.set()
    assert threaded.has(last)
    assert last.value() == b"6"


async def test_one_core_keeps_nothing_behind_what_nobody_comes_for(alone: Signatures) -> None:
    alone.begin(pens(16))
    own = Pen()
    gone = weakref.ref(own)
    (signature,) = alone.begin([own])
    await alone.wait_for(signature)
    del own, signature
    gc.collect()
    assert gone() is None
    alone.end()


async def test_what_is_made_is_not_kept(threaded: Signatures) -> None:
    own = Pen()
    gone = weakref.ref(own)
    (signature,) = threaded.begin([own])
    await threaded.wait_for(signature)
    threaded.begin(pens(1))
    del own, signature
    for _ in range(1000):  # the thread lets go of it in its own time
        if gone() is None:
            break
        gc.collect()
        await asyncio.sleep(0.005)
    assert gone() is None
    threaded.end()


@pytest.mark.parametrize("cores", [1, 2])
async def test_one_that_fails_says_why(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cores", lambda: cores)
    signatures = Signatures()
    (signature,) = signatures.begin([Broken()])

    async def made() -> bytes:
        await signatures.wait_for(signature)
        return signature.value()

    with pytest.raises(ValueError, match="no ink"):
        await made()
    signatures.end()
