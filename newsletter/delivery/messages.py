"""The messages of one run: each issue rendered once, each reader's letter made in time."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from newsletter.delivery.session import Letter, is_plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from newsletter.core.delivery import Delivery
    from newsletter.ports import Message

_AHEAD = 64  # letters that are made before their turn
_AT_ONCE = 8  # … by a thread, before it reports


class Messages:
    """Makes letters, those that take long (a signature) ahead and in threads, where there is more than one core.

    An RSA signature takes twice as long as everything else about a message, but not the interpreter's lock: with
    two cores, one signs while the other sends.
    """

    def __init__(self, message_for: Callable[[int], Awaitable[Message]]) -> None:
        self._message_for = message_for
        self._rendered: dict[int, tuple[Message, bool]] = {}  # and whether it is plain, see `Letter`
        self._slow: set[int] = set()  # issues whose letters take long
        self._rendering = asyncio.Lock()
        self._threads = ThreadPoolExecutor(_cores(), "compose") if _cores() > 1 else None
        self._begun: dict[int, asyncio.Future[dict[int, Letter]]] = {}

    async def letter(self, delivery: Delivery) -> Letter:
        """Return a reader's letter.

        Raises:
            RenderError: a template is wrong.
        """
        if delivery.issue_key not in self._rendered:
            async with self._rendering:
                if delivery.issue_key not in self._rendered:
                    message = await self._message_for(delivery.issue_key)
                    self._rendered[delivery.issue_key] = message, is_plain(message.for_reader(delivery)[1])
                    if message.takes_long:
                        self._slow.add(delivery.issue_key)
        if begun := self._begun.get(delivery.key):
            await asyncio.shield(begun)
        return self.letter_at_once(delivery)

    def can_compose(self, delivery: Delivery) -> bool:
        """Tell whether a letter can be had at once."""
        begun = self._begun.get(delivery.key)
        return delivery.issue_key in self._rendered if begun is None else begun.done()

    def letter_at_once(self, delivery: Delivery) -> Letter:
        """Return a reader's letter for which `can_compose`; raises like `letter`."""
        begun = self._begun.pop(delivery.key, None)
        letter = begun.result().get(delivery.key) if begun else None
        return letter or self._compose(delivery)

    def prepare(self, upcoming: Iterable[Delivery]) -> None:
        """Begin to make the letters of deliveries that will be next, as far as that is worth while."""
        if self._threads is None or not self._slow or len(self._begun) > _AHEAD // 2:
            return
        ahead = islice(upcoming, _AHEAD)
        some = [one for one in ahead if one.issue_key in self._slow and one.key not in self._begun]
        for start in range(0, len(some), _AT_ONCE):
            chunk = some[start : start + _AT_ONCE]
            begun = asyncio.get_running_loop().run_in_executor(self._threads, self._compose_all, chunk)
            self._begun |= dict.fromkeys((one.key for one in chunk), begun)

    def end(self) -> None:
        """Let go of the threads and of letters that nobody came for."""
        for begun in self._begun.values():
            begun.cancel()
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _compose_all(self, some: Iterable[Delivery]) -> dict[int, Letter]:
        """Return letters by delivery, but for those that can't be made: what is wrong is told in their turn."""
        letters = {}
        for delivery in some:
            with suppress(Exception):
                letters[delivery.key] = self._compose(delivery)
        return letters

    def _compose(self, delivery: Delivery) -> Letter:
        message, plain = self._rendered[delivery.issue_key]
        sender, pieces = message.pieces_for(delivery)
        recipient = delivery.subscriber.email
        return Letter(sender, recipient, pieces, plain and recipient.isascii())


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
