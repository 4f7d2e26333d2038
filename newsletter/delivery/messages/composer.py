"""The letters of one chunk: the issue's message is fetched once, each reader's letter is made in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain, islice
from typing import NamedTuple

from newsletter.core.delivery import Delivery
from newsletter.core.records import maker
from newsletter.delivery.messages.signatures import Signature, Signatures
from newsletter.delivery.smtp.session import Letter, is_plain
from newsletter.ports import Message

_AHEAD = 96  # letters that are made before their turn, so that threads sign them meanwhile
_AT_ONCE = 16  # … in one go; as many that need no signature, which are sent while the processor's cache holds them


_letter = maker(Letter)


class _Unsigned(NamedTuple):
    """A letter that lacks its signature, which is to be made, or waited for."""

    letter: Letter
    signature: Signature


class Composer:
    """Makes letters of one issue, some ahead of their turn: many in one go take less time than each by itself."""

    def __init__(self, message: Callable[[], Awaitable[Message]], signatures: Signatures) -> None:
        """Begin; nothing is rendered yet.

        Args:
            message: gives the issue's message; asked once, when the first letter is.
            signatures: makes the signatures of letters that are signed.
        """
        self._fetch = message
        self._fetching = asyncio.Lock()
        self._message: Message | None = None
        self._is_plain = False  # whether the message is, see `Letter`
        self._signatures = signatures
        # Letters that are made ahead, by the keys of their deliveries.
        self._ready: dict[int, Letter] = {}
        self._unsigned: dict[int, _Unsigned] = {}
        self._enough = 0  # of them, beyond which no others are made

    async def letter(self, delivery: Delivery) -> Letter:
        """Return a reader's letter.

        Raises:
            RenderError: a template is wrong.
        """
        if self._message is None:
            async with self._fetching:
                if self._message is None:
                    message = await self._fetch()
                    self._is_plain = is_plain(message.for_reader(delivery)[1])
                    self._message = message
        unsigned = self._unsigned.get(delivery.key)
        if unsigned:
            await self._signatures.wait_for(unsigned.signature)
        return self._letter(delivery, self._message)

    def letter_at_once(self, delivery: Delivery, upcoming: Iterable[Delivery]) -> Letter | None:
        """Return a reader's letter, or None if it takes waiting; raises like `letter`.

        Args:
            delivery: the reader's.
            upcoming: those that will be next, whose letters may be made with it.
        """
        letter = self._ready.pop(delivery.key, None)
        if letter or self._message is None:
            return letter
        self.prepare(chain((delivery,), upcoming))
        unsigned = self._unsigned.get(delivery.key)
        if unsigned and not self._signatures.has(unsigned.signature):
            return None
        return self._letter(delivery, self._message)

    def prepare(self, upcoming: Iterable[Delivery]) -> None:
        """Make letters of deliveries that will be next, or begin to, unless enough are made."""
        ready, unsigned = self._ready, self._unsigned
        if self._message is None or len(ready) + len(unsigned) > self._enough:
            return
        letters: list[tuple[int, Letter]] = []
        signs: list[Callable[[], bytes]] = []
        for delivery in islice(upcoming, _AHEAD):
            key = delivery.key
            if key in unsigned or key in ready:
                continue
            try:
                letter, sign = self._compose(delivery, self._message)
            except Exception:  # noqa: BLE001, S112 - raised in its turn
                continue
            if sign:
                letters.append((key, letter))
                signs.append(sign)
            else:
                ready[key] = letter
            if len(letters) + len(ready) >= _AT_ONCE:
                break
        self._enough = _AHEAD - _AT_ONCE if signs else 0
        for (key, letter), signature in zip(letters, self._signatures.begin(signs), strict=True):
            unsigned[key] = _Unsigned(letter, signature)

    def end(self) -> None:
        """Let go of letters that nobody came for; threads sign them no more."""
        for unsigned in self._unsigned.values():
            unsigned.signature.batch.abandon()
        self._unsigned.clear()
        self._ready.clear()

    def _letter(self, delivery: Delivery, message: Message) -> Letter:
        if delivery.key in self._ready:
            return self._ready.pop(delivery.key)
        if delivery.key in self._unsigned:
            letter, signature = self._unsigned.pop(delivery.key)
            return letter.signed(signature.value())
        self._make_room()
        letter, sign = self._compose(delivery, message)
        return letter.signed(sign()) if sign else letter

    def _make_room(self) -> None:
        """Drop the oldest letters, if there is no room for others: their readers' domains may take long."""
        for letters in (self._ready, self._unsigned):
            if len(letters) > _AHEAD - _AT_ONCE:
                for key in list(islice(letters, _AT_ONCE)):
                    del letters[key]

    def _compose(self, delivery: Delivery, message: Message) -> tuple[Letter, Callable[[], bytes] | None]:
        """Return a letter without its signature, and what makes that, if it is to be signed."""
        sender, pieces, size, sign = message.composed_for(delivery)
        recipient = delivery.subscriber.email
        return _letter((sender, recipient, pieces, self._is_plain and recipient.isascii(), size)), sign
