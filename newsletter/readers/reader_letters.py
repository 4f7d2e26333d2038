"""Letters to readers about what they asked for: to a new address, to the former one, and to who left by mail.

Who leaves on a page or by one click has read there that it is done, and gets no mail about it. Who leaves by mail
has no page: one last mail answers theirs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog

from newsletter.core.address import masked
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import NewsletterError
from newsletter.core.moving import VALID_FOR, end_of
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.signup import accepts_sign_ups
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.ports import AddressChange, AddressChanges, Clock, Leaving, Leavings, LetterKind, Letters, Lists
from newsletter.render.issue.catalogues import own_language

log = structlog.get_logger(__name__)


class _Letter(NamedTuple):
    """A letter: of which kind, to which reader, at which of their addresses, and what it is about."""

    kind: LetterKind
    reader: Subscriber
    address: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLetters:
    """Sends what is to be sent; what a process leaves is sent by the next one.

    A letter that is sent twice on a day has the same Message-ID.

    Attributes:
        changes: knows which addresses are to be mailed about a new address.
        leavings: knows who left by mail.
        lists: the list files, in whose name letters are written.
        letters: writes them.
        links: makes their links.
        clock: the present moment.
    """

    changes: AddressChanges
    leavings: Leavings
    lists: Lists
    letters: Letters
    links: Links
    clock: Clock

    async def send(self) -> bool:
        """Send all that is to be sent now; return whether nothing is left.

        Raises:
            StoreError: the ledger cannot be read or written.
            ConfigurationError: the folder of list files is not there.
        """
        now = self.clock()
        to_confirm = await self.changes.to_confirm(now=now)
        to_tell = await self.changes.to_tell(now=now)
        left = await self.leavings.to_tell(now=now)
        if not to_confirm and not to_tell and not left:
            return True
        loaded = await asyncio.to_thread(self.lists.read)
        lists = {name: file.list for name, file in loaded.right.items()}
        return all(
            [
                *[await self._ask(change, lists.get(change.reader.list)) for change in to_confirm],
                *[await self._tell(change, lists.get(change.reader.list)) for change in to_tell],
                *[await self._say_goodbye(leaving, lists.get(leaving.reader.list)) for leaving in left],
            ]
        )

    async def _ask(self, change: AddressChange, list_: NewsletterList | None) -> bool:
        """Ask the new address; return whether that is done with."""
        letter = _Letter(LetterKind.NEW_ADDRESS, change.reader, change.email, f"address change {change.key}")
        values = {
            "email": change.email,
            "confirm_url": self.links.new_address(change.key, end_of(change.asked_at)),
            "days": VALID_FOR.days,
        }
        if not await self._write(letter, list_, values):
            return False
        await self.changes.note_mailed(change.key, now=self.clock())
        return True

    async def _tell(self, change: AddressChange, list_: NewsletterList | None) -> bool:
        """Tell the former address; return whether that is done with."""
        letter = _Letter(LetterKind.MOVED, change.reader, change.former_email, f"address change {change.key}")
        values = {"email": change.former_email, "new": masked(change.reader.email)}
        if not await self._write(letter, list_, values):
            return False
        await self.changes.note_told(change.key, now=self.clock())
        return True

    async def _say_goodbye(self, leaving: Leaving, list_: NewsletterList | None) -> bool:
        """Tell a reader that they are off the list; return whether that is done with."""
        letter = _Letter(LetterKind.GOODBYE, leaving.reader, leaving.reader.email, f"leaving {leaving.key}")
        may_return = list_ is not None and accepts_sign_ups(list_.signup, has_pages=bool(self.links.public_url))
        signup_url = self.links.sign_up(leaving.reader.list) if may_return else ""
        if not await self._write(letter, list_, {"email": leaving.reader.email, "signup_url": signup_url}):
            return False
        await self.leavings.note_told(leaving.key)
        return True

    async def _write(self, letter: _Letter, list_: NewsletterList | None, values: dict[str, Any]) -> bool:
        """Write a letter; return whether it left, or never will."""
        of = {"list": letter.reader.list, "kind": letter.kind.value}
        if list_ is None:
            log.warning("letter_not_sent", **of, reason="the list's file is wrong, or gone")
            return False
        masthead = list_.masthead
        masthead = masthead.in_language(own_language(letter.reader.language, masthead.language))
        to = (letter.reader.name, letter.address)
        try:
            outcome = await self.letters.send(
                letter.kind, masthead, to, values, about=letter.about, now=self.clock()
            )
        except NewsletterError as error:
            log.warning("letter_not_sent", **of, reason=str(error))
            return False
        return outcome.state is not DeliveryState.DEFERRED and not outcome.doubt
