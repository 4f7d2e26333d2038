"""Signatures of messages, made ahead of their turn: by threads, and by whoever would have to wait for one."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

_TOGETHER = 4  # signatures that are made in one go, in about a millisecond with RSA-2048
_ALONE = 16  # … where there is but one core: with longer turns it changes less often between signing and sending


class _Batch:
    """Signatures that are made together, by a thread or by who needs them before a thread has begun."""

    def __init__(self, signs: Sequence[Callable[[], bytes]], threads: ThreadPoolExecutor | None) -> None:
        self._signs = signs
        self._work: Future[list[bytes]] = threads.submit(_all, signs) if threads else Future()
        self._made: list[bytes] = []

    @property
    def is_begun(self) -> bool:
        return self._work.running() or self._work.done()

    @property
    def is_made(self) -> bool:
        return bool(self._made) or (self._work.done() and not self._work.cancelled())

    @property
    def made(self) -> list[bytes]:
        return self._made or self._work.result()

    def make(self) -> bool:
        """Make them here and now, unless they are made or a thread is about it; tell whether so."""
        if self._made or not self._work.cancel():
            return False
        self._made = _all(self._signs)
        return True

    async def wait(self) -> None:
        """Wait for the thread that is about it."""
        await asyncio.wait([asyncio.wrap_future(self._work)])


class Signature(NamedTuple):
    """One signature of a batch."""

    batch: _Batch
    place: int

    def value(self) -> bytes:
        """Return it, once it is made."""
        return self.batch.made[self.place]


class Signatures:
    """Has signatures made in threads, one for each core but that of the event loop.

    An RSA signature takes twice as long as all else about a message, but not the interpreter's lock: threads sign
    while the event loop sends. Rather than wait for one it makes others. With a thread more it would only wait for
    a core instead, and the other threads for the lock that it holds meanwhile.
    """

    def __init__(self) -> None:
        others = cores() - 1
        self._threads = ThreadPoolExecutor(others, "sign") if others else None
        self._together = _TOGETHER if others else _ALONE
        self._batches: deque[_Batch] = deque()

    def begin(self, signs: Sequence[Callable[[], bytes]]) -> list[Signature]:
        """Have signatures made, each by a call, and return where each will be found."""
        while self._batches and self._batches[0].is_begun:
            self._batches.popleft()
        begun = []
        for start in range(0, len(signs), self._together):
            some = signs[start : start + self._together]
            batch = _Batch(some, self._threads)
            if self._threads:  # else nobody but who needs it will ever begin
                self._batches.append(batch)
            begun += [Signature(batch, place) for place in range(len(some))]
        return begun

    def has(self, signature: Signature) -> bool:
        """Tell whether a signature is made; if not, make it, or others while a thread is about it."""
        if not signature.batch.is_made and not signature.batch.make():
            self._help()
        return signature.batch.is_made

    async def wait_for(self, signature: Signature) -> None:
        """Return when a signature is made."""
        while not self.has(signature):
            await signature.batch.wait()

    def end(self) -> None:
        """Let go of the threads, and of what they have not begun."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _help(self) -> None:
        """Make what nobody is about and will be needed first."""
        while self._batches and not self._batches.popleft().make():
            pass


def _all(signs: Sequence[Callable[[], bytes]]) -> list[bytes]:
    return [sign() for sign in signs]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
