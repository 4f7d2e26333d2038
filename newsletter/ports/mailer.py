"""Relays: the SMTP servers that mail is handed to."""

from __future__ import annotations

from typing import Protocol

from newsletter.core.delivery import Outcome


class Relay(Protocol):
    """One SMTP server that mail is handed to, over one connection at a time."""

    @property
    def name(self) -> str:
        """Return host and port, as recorded with each delivery."""
        ...

    async def send(self, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message and return what the relay said of the recipient.

        Args:
            sender: the envelope sender, a bare address.
            recipient: the one envelope recipient, a bare address.
            message: the final bytes, CRLF line ends; they are sent as they are.

        Raises:
            RelayError: trouble that is ours or the relay's, before the message was handed over; nothing was
                delivered, and the recipient is not to blame.
        """
        ...

    async def close(self) -> None:
        """Say QUIT and close the connection."""
        ...


class RelayPool(Protocol):
    """Opens sessions with a relay."""

    @property
    def connections(self) -> int:
        """Return how many sessions may be open at once."""
        ...

    async def connect(self, *, sender: str = "") -> Relay:
        """Return a session that is ready for mail: greeted, secured, logged in.

        Args:
            sender: who will send, if that is known: a relay may be greeted with its domain.

        Raises:
            RelayError: no session can be had; names host and reason.
        """
        ...
