"""Letters about readers who move to another address: one that asks the new address, one that tells the former."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from newsletter.core.address import masked
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import ConfigurationError, NewsletterError
from newsletter.core.moving import VALID_FOR, end_of
from newsletter.core.newsletter_list import Masthead
from newsletter.core.tokens import Links
from newsletter.ports import AddressChange, AddressChanges, Clock, LetterKind, Letters, Lists

log = structlog.get_logger(__name__)

_SECONDS_BETWEEN_TRIES = 300.0
_SECONDS_TO_FINISH = 5.0


@dataclass(slots=True, kw_only=True)
class MovingLetters:
    """Sends what is to be sent, in the background, as long as the process lives.

    What a process leaves is sent by the next one. A letter that is sent twice has the same Message-ID.

    Attributes:
        changes: knows what is to be sent.
        lists: the list files, in whose name letters are written.
        letters: writes them.
        links: makes their links.
        clock: the present moment.
    """

    changes: AddressChanges
    lists: Lists
    letters: Letters
    links: Links
    clock: Clock
    _task: asyncio.Task[None] | None = field(default=None, init=False)
    _again: bool = field(default=False, init=False)
    _closing: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def soon(self) -> None:
        """Send all that is to be sent; what comes meanwhile is sent too."""
        self._again = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="letters about addresses")

    async def close(self) -> None:
        """Wait a moment for what is to be sent now; what is left then is sent later, by the next process."""
        self._closing.set()
        if self._task is None:
            return
        await asyncio.wait([self._task], timeout=_SECONDS_TO_FINISH)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _work(self) -> None:
        while self._again:
            self._again = False
            try:
                is_done = await self.send()
            except (NewsletterError, ConfigurationError) as error:
                log.warning("letters_wait", reason=str(error))
                is_done = False
            except Exception:
                log.exception("letters_broke")
                return
            if not is_done and not await self._closes_within(_SECONDS_BETWEEN_TRIES):
                self._again = True

    async def _closes_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
        return self._closing.is_set()

    async def send(self) -> bool:
        """Send all that is to be sent now; return whether nothing is left.

        Raises:
            StoreError: the ledger cannot be read or written.
            ConfigurationError: the folder of list files is not there.
        """
        now = self.clock()
        to_confirm = await self.changes.to_confirm(now=now)
        to_tell = await self.changes.to_tell(now=now)
        if not to_confirm and not to_tell:
            return True
        lists = (await asyncio.to_thread(self.lists.read)).right
        mastheads = {name: file.list.masthead for name, file in lists.items()}
        return all(
            [
                *[await self._ask(change, mastheads.get(change.reader.list)) for change in to_confirm],
                *[await self._tell(change, mastheads.get(change.reader.list)) for change in to_tell],
            ]
        )

    async def _ask(self, change: AddressChange, masthead: Masthead | None) -> bool:
        """Ask the new address; return whether that is done with."""
        values = {
            "email": change.email,
            "confirm_url": self.links.new_address(change.key, end_of(change.asked_at)),
            "days": VALID_FOR.days,
        }
        if not await self._write(LetterKind.NEW_ADDRESS, change, change.email, masthead, values):
            return False
        await self.changes.note_mailed(change.key, now=self.clock())
        return True

    async def _tell(self, change: AddressChange, masthead: Masthead | None) -> bool:
        """Tell the former address; return whether that is done with."""
        values = {"email": change.former_email, "new": masked(change.reader.email)}
        if not await self._write(LetterKind.MOVED, change, change.former_email, masthead, values):
            return False
        await self.changes.note_told(change.key, now=self.clock())
        return True

    async def _write(
        self,
        kind: LetterKind,
        change: AddressChange,
        address: str,
        masthead: Masthead | None,
        values: dict[str, Any],
    ) -> bool:
        """Write a letter; return whether it left, or never will."""
        if masthead is None:
            reason = "the list's file is wrong, or gone"
            log.warning("letter_not_sent", list=change.reader.list, kind=kind.value, reason=reason)
            return False
        to, about = (change.reader.name, address), f"address change {change.key}"
        try:
            outcome = await self.letters.send(kind, masthead, to, values, about=about, now=self.clock())
        except NewsletterError as error:
            log.warning("letter_not_sent", list=change.reader.list, kind=kind.value, reason=str(error))
            return False
        return outcome.state is not DeliveryState.DEFERRED and not outcome.doubt
