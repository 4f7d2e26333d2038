"""The letters of one chunk: the issue's message is fetched once, each reader's letter is made in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice
from typing import NamedTuple

from newsletter.core.delivery import Delivery
from newsletter.delivery.messages.signatures import Signature, Signatures
from newsletter.delivery.smtp.session import Letter, is_plain
from newsletter.ports import Message

_AHEAD = 96  # letters that are made before their turn, so that threads sign them meanwhile
_AT_ONCE = 16  # … in one go; as many that need no signature, which are sent while the processor's cache holds them


class _Ahead(NamedTuple):
    """A letter that waits for its turn, and what gives its signature, if it is to be signed."""

    letter: Letter
    sign: Callable[[], bytes] | None
    signature: Signature | None = None  # to be made, or waited for, before `sign` gives it


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
        self._ahead: dict[int, _Ahead] = {}
        self._enough = 0  # letters ahead, beyond which no others are made

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
        ahead = self._ahead.get(delivery.key)
        if ahead and ahead.signature:
            await self._signatures.wait_for(ahead.signature)
        return self._letter(delivery, self._message)

    def letter_at_once(self, delivery: Delivery) -> Letter | None:
        """Return a reader's letter, or None if it takes waiting; raises like `letter`."""
        if self._message is None:
            return None
        ahead = self._ahead.get(delivery.key)
        if ahead and ahead.signature and not self._signatures.has(ahead.signature):
            return None
        return self._letter(delivery, self._message)

    def prepare(self, upcoming: Iterable[Delivery]) -> None:
        """Make letters of deliveries that will be next, or begin to, unless enough are made."""
        if self._message is None or len(self._ahead) > self._enough:
            return
        made = {}
        possible = islice(upcoming, _AHEAD)
        for delivery in islice((one for one in possible if one.key not in self._ahead), _AT_ONCE):
            try:  # noqa: SIM105 - `suppress` takes time for each message
                made[delivery.key] = self._compose(delivery, self._message)
            except Exception:  # noqa: BLE001, S110 - raised in its turn
                pass
        self._ahead |= made
        signed = {key: ahead.sign for key, ahead in made.items() if ahead.sign}
        self._enough = _AHEAD - _AT_ONCE if signed else 0
        for key, signature in zip(signed, self._signatures.begin(list(signed.values())), strict=True):
            self._ahead[key] = _Ahead(made[key].letter, signature.value, signature)

    def end(self) -> None:
        """Let go of letters that nobody came for; threads sign them no more."""
        for ahead in self._ahead.values():
            if ahead.signature:
                ahead.signature.batch.abandon()
        self._ahead.clear()

    def _letter(self, delivery: Delivery, message: Message) -> Letter:
        if delivery.key in self._ahead:
            letter, sign, _ = self._ahead.pop(delivery.key)
        else:
            self._make_room()
            letter, sign, _ = self._compose(delivery, message)
        return letter._replace(pieces=(sign(), *letter.pieces)) if sign else letter

    def _make_room(self) -> None:
        """Drop the oldest letters, if there is no room for others: their readers' domains may take long."""
        if len(self._ahead) > _AHEAD - _AT_ONCE:
            for key in list(islice(self._ahead, _AT_ONCE)):
                del self._ahead[key]

    def _compose(self, delivery: Delivery, message: Message) -> _Ahead:
        sender, pieces, sign = message.composed_for(delivery)
        recipient = delivery.subscriber.email
        return _Ahead(Letter(sender, recipient, pieces, self._is_plain and recipient.isascii()), sign)
