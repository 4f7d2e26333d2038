"""Signatures of messages, made ahead of their turn: by threads, or by the event loop where it would wait."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

_TOGETHER = 4  # signatures that are made in one go, in about a millisecond with RSA-2048
_ALONE = 16  # … where there is one core only: with longer turns it switches less often between signing and sending


class _Batch:
    """Signatures that are made together: by a thread, or by the event loop if it needs them first."""

    def __init__(self, signs: Sequence[Callable[[], bytes]], threads: ThreadPoolExecutor | None) -> None:
        self._signs = signs
        self._work: Future[list[bytes]] = threads.submit(_all, signs) if threads else Future()
        self._made: list[bytes] = []
        self._is_abandoned = False

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
        """Make them now, unless they are made or a thread is at work on them; return whether it was done."""
        if self._made or self._is_abandoned or not self._work.cancel():
            return False
        self._made = _all(self._signs)
        return True

    async def wait(self) -> None:
        """Wait for the thread that is at work on them."""
        await asyncio.wait([asyncio.wrap_future(self._work)])

    def abandon(self) -> None:
        """Let no thread begin with them: nobody needs them any more."""
        self._is_abandoned = True
        self._work.cancel()


class Signature(NamedTuple):
    """One signature of a batch."""

    batch: _Batch
    place: int

    def value(self) -> bytes:
        """Return the signature's bytes, once they are made."""
        return self.batch.made[self.place]


class Signatures:
    """Has signatures made in threads, for all chunks of the process.

    An RSA signature takes twice as long as everything else about a message, and needs no interpreter lock (GIL):
    threads sign while the event loop sends. Where the event loop would have to wait for a thread, it makes other
    signatures itself. There is one thread per spare core: with one more, the event loop would compete with the
    threads for a core while holding the lock.
    """

    def __init__(self, of_cores: int = 0) -> None:
        """Begin; no thread is started yet. `of_cores`: how many cores this process may use; 0: all."""
        spare = (of_cores or cores()) - 1
        self._threads = ThreadPoolExecutor(spare, "sign") if spare else None  # begins a thread when there is work
        self._together = _TOGETHER if spare else _ALONE
        self._batches: deque[_Batch] = deque()

    def begin(self, signs: Sequence[Callable[[], bytes]]) -> list[Signature]:
        """Have signatures made, each by a call, and return where each will be found."""
        while self._batches and self._batches[0].is_begun:
            self._batches.popleft()
        begun = []
        for start in range(0, len(signs), self._together):
            some = signs[start : start + self._together]
            batch = _Batch(some, self._threads)
            if self._threads:  # else only the letter that needs it will have it made
                self._batches.append(batch)
            begun += [Signature(batch, place) for place in range(len(some))]
        return begun

    def has(self, signature: Signature) -> bool:
        """Return whether a signature is made; if not, make it, or others while a thread is at work on it."""
        if not signature.batch.is_made and not signature.batch.make():
            self._help()
        return signature.batch.is_made

    async def wait_for(self, signature: Signature) -> None:
        """Return when a signature is made."""
        while not self.has(signature):
            await signature.batch.wait()

    def end(self) -> None:
        """End the threads; what they have not begun is left undone."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _help(self) -> None:
        """Make those of which no thread has begun and which will be needed first."""
        while self._batches and not self._batches.popleft().make():
            pass


def _all(signs: Sequence[Callable[[], bytes]]) -> list[bytes]:
    return [sign() for sign in signs]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
