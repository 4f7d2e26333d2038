"""The messages of one run: each issue rendered once, each reader's letter made in time."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from newsletter.delivery.session import Letter, is_plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from newsletter.core.delivery import Delivery
    from newsletter.ports import Message

_AHEAD = 96  # letters that are made before their turn
_AT_ONCE = 16  # … of which a thread signs so many before it reports


class _Ahead(NamedTuple):
    """A letter that waits for its signature, which is one of several."""

    letter: Letter
    signatures: asyncio.Future[list[bytes]]
    place: int


class Messages:
    """Makes letters; where they are signed, ahead and in threads, if there is more than one core.

    An RSA signature takes twice as long as everything else about a message, but not the interpreter's lock: with
    two cores, one signs while the other sends. All else is done without threads, which would fight for that lock.
    """

    def __init__(self, message_for: Callable[[int], Awaitable[Message]]) -> None:
        self._message_for = message_for
        self._rendered: dict[int, tuple[Message, bool]] = {}  # and whether it is plain, see `Letter`
        self._signed: set[int] = set()  # issues whose letters are
        self._rendering = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_cores(), "sign") if _cores() > 1 else None
        self._begun: dict[int, _Ahead] = {}

    async def letter(self, delivery: Delivery) -> Letter:
        """Return a reader's letter.

        Raises:
            RenderError: a template is wrong.
        """
        if delivery.issue_key not in self._rendered:
            async with self._rendering:
                if delivery.issue_key not in self._rendered:
                    await self._learn(delivery)
        if begun := self._begun.get(delivery.key):
            await asyncio.shield(begun.signatures)
        return self.letter_at_once(delivery)

    def can_compose(self, delivery: Delivery) -> bool:
        """Tell whether a letter can be had at once."""
        begun = self._begun.get(delivery.key)
        return delivery.issue_key in self._rendered if begun is None else begun.signatures.done()

    def letter_at_once(self, delivery: Delivery) -> Letter:
        """Return a reader's letter for which `can_compose`; raises like `letter`."""
        if begun := self._begun.pop(delivery.key, None):
            return _signed(begun.letter, begun.signatures.result()[begun.place])
        letter, sign = self._compose(delivery)
        return _signed(letter, sign()) if sign else letter

    def prepare(self, upcoming: Iterable[Delivery]) -> None:
        """Begin to make the letters of deliveries that will be next, as far as that is worth while."""
        if self._threads is None or not self._signed or len(self._begun) > _AHEAD - _AT_ONCE:
            return
        ahead = (one for one in islice(upcoming, _AHEAD) if one.issue_key in self._signed)
        letters: dict[int, Letter] = {}
        signs: list[Callable[[], bytes]] = []
        for delivery in islice((one for one in ahead if one.key not in self._begun), _AT_ONCE):
            with suppress(Exception):  # what is wrong is told in its turn
                letters[delivery.key], sign = self._compose(delivery)
                signs += [sign] if sign else []
        if signs:
            signatures = asyncio.get_running_loop().run_in_executor(self._threads, _all, signs)
            for place, (key, letter) in enumerate(letters.items()):
                self._begun[key] = _Ahead(letter, signatures, place)

    def end(self) -> None:
        """Let go of the threads and of letters that nobody came for."""
        for begun in self._begun.values():
            begun.signatures.cancel()
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _learn(self, delivery: Delivery) -> None:
        """Have an issue rendered, and see what its messages are like by one of them."""
        message = await self._message_for(delivery.issue_key)
        self._rendered[delivery.issue_key] = message, is_plain(message.for_reader(delivery)[1])
        if message.composed_for(delivery).sign:
            self._signed.add(delivery.issue_key)

    def _compose(self, delivery: Delivery) -> tuple[Letter, Callable[[], bytes] | None]:
        """Return a letter without its signature, and what makes that, if it is to be signed."""
        message, plain = self._rendered[delivery.issue_key]
        sender, pieces, sign = message.composed_for(delivery)
        recipient = delivery.subscriber.email
        return Letter(sender, recipient, pieces, plain and recipient.isascii()), sign


def _signed(letter: Letter, signature: bytes) -> Letter:
    return letter._replace(pieces=(signature, *letter.pieces))


def _all(signs: Iterable[Callable[[], bytes]]) -> list[bytes]:
    return [sign() for sign in signs]


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
