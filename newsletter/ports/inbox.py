"""A mailbox in which one mail is looked for."""

from __future__ import annotations

from typing import Protocol


class Inbox(Protocol):
    """A mailbox that can be searched. Nothing in it is changed."""

    @property
    def name(self) -> str:
        """Return its name for people."""
        ...

    async def find(self, word: str) -> bytes | None:
        """Return the newest mail whose subject holds a word of ASCII letters and digits; None if there is none.

        Raises:
            InboundError: the mailbox cannot be read; names it and the reason.
        """
        ...
