"""The messages of one run: each issue rendered once, each reader's letter made in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from newsletter.core.delivery import Delivery
from newsletter.delivery.messages.signatures import Signature, Signatures
from newsletter.delivery.smtp.session import Letter, is_plain
from newsletter.ports import Message

_AHEAD = 96  # letters that are made before their turn
_AT_ONCE = 32  # … in one go


class _Ahead(NamedTuple):
    """A letter that waits for its turn, and what gives its signature, if it is to be signed."""

    letter: Letter
    sign: Callable[[], bytes] | None
    signature: Signature | None = None  # to be made, or waited for, before `sign` gives it


class Messages:
    """Makes letters, some ahead of their turn: many in one go take less time each than one now and then."""

    def __init__(self, message_for: Callable[[int], Awaitable[Message]]) -> None:
        self._message_for = message_for
        self._rendered: dict[int, tuple[Message, bool]] = {}  # and whether it is plain, see `Letter`
        self._rendering = asyncio.Lock()
        self._signatures = Signatures()
        self._ahead: dict[int, _Ahead] = {}

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
        ahead = self._ahead.get(delivery.key)
        if ahead and ahead.signature:
            await self._signatures.wait_for(ahead.signature)
        return self._letter(delivery)

    def letter_at_once(self, delivery: Delivery) -> Letter | None:
        """Return a reader's letter, or None if it takes waiting; raises like `letter`."""
        if delivery.issue_key not in self._rendered:
            return None
        ahead = self._ahead.get(delivery.key)
        if ahead and ahead.signature and not self._signatures.has(ahead.signature):
            return None
        return self._letter(delivery)

    def prepare(self, upcoming: Iterable[Delivery]) -> None:
        """Make letters of deliveries that will be next, or begin to, unless enough are made."""
        if len(self._ahead) > _AHEAD - _AT_ONCE:
            return
        made = {}
        possible = (one for one in islice(upcoming, _AHEAD) if one.issue_key in self._rendered)
        for delivery in islice((one for one in possible if one.key not in self._ahead), _AT_ONCE):
            with suppress(Exception):  # what is wrong is told in its turn
                made[delivery.key] = self._compose(delivery)
        self._ahead |= made
        signed = {key: ahead.sign for key, ahead in made.items() if ahead.sign}
        for key, signature in zip(signed, self._signatures.begin(list(signed.values())), strict=True):
            self._ahead[key] = _Ahead(made[key].letter, signature.value, signature)

    def end(self) -> None:
        """Let go of the threads, and of letters that nobody came for."""
        self._signatures.end()

    def _letter(self, delivery: Delivery) -> Letter:
        if delivery.key in self._ahead:
            letter, sign, _ = self._ahead.pop(delivery.key)
        else:
            self._make_room()
            letter, sign, _ = self._compose(delivery)
        return letter._replace(pieces=(sign(), *letter.pieces)) if sign else letter

    def _make_room(self) -> None:
        """Drop the oldest letters, if there is no room for others: their readers' domains may take long."""
        if len(self._ahead) > _AHEAD - _AT_ONCE:
            for key in list(islice(self._ahead, _AT_ONCE)):
                del self._ahead[key]

    def _compose(self, delivery: Delivery) -> _Ahead:
        message, plain = self._rendered[delivery.issue_key]
        sender, pieces, sign = message.composed_for(delivery)
        recipient = delivery.subscriber.email
        return _Ahead(Letter(sender, recipient, pieces, plain and recipient.isascii()), sign)
