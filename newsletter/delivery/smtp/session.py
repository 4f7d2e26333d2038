"""What delivery asks of its sessions with relays: the ports, and how long a session may be used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from newsletter.core.delivery import Outcome
from newsletter.core.errors import RelayError
from newsletter.delivery.smtp.experience import Joins

_LINE_DOT = re.compile(rb"(?m)^\.")


class SessionOverError(RelayError):
    """The relay has ended the session between two messages, after at least one had gone through: connect anew.

    Relays do so after a number of messages, or when they are restarted; it says nothing of their health.
    """


class Letter(NamedTuple):
    """One message in its envelope: bare addresses, final bytes in pieces, the last of them not empty.

    `is_plain` says that the message is ASCII, and that none of its lines begins with a dot. To look through 60 KB
    for that takes longer than to compose them, and our own encoding makes no others.
    """

    sender: str
    recipient: str
    pieces: Sequence[bytes]
    is_plain: bool = False

    @property
    def size(self) -> int:
        """Return the message's length in bytes."""
        return sum(map(len, self.pieces))


class Session(Protocol):
    """One connection to a relay, greeted, secured and logged in (`ports.Relay`, and when to replace it)."""

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        ...

    @property
    def spent(self) -> bool:
        """Tell whether no further message should be handed over here: connect anew."""
        ...

    @property
    def looks_ahead(self) -> bool:
        """Tell whether the session is faster if it knows what it will send next."""
        ...

    async def send(self, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message; see `ports.Relay.send`."""
        ...

    async def hand_over(self, letter: Letter, following: Letter | None = None) -> Outcome:
        """Hand over one letter, as `send` does.

        Args:
            letter: what is sent.
            following: what will be sent next, if anything is sent after this: its envelope may be announced.

        Raises:
            SessionOverError: nothing was handed over, and a new session will do.
            RelayError: nothing was handed over, for a reason that is ours or the relay's; the session is of no
                more use.
        """
        ...

    async def close(self) -> None:
        """Say QUIT and close; a transaction that is under way is cut off."""
        ...


class Pool(Protocol):
    """Opens sessions with one relay (`ports.RelayPool`, and its name and rate)."""

    @property
    def name(self) -> str:
        """Return the relay's host and port."""
        ...

    @property
    def connections(self) -> int:
        """Return how many sessions may be open at once."""
        ...

    @property
    def rate(self) -> float:
        """Return how many messages a second the relay is given, 0 for no limit."""
        ...

    @property
    def weight(self) -> int:
        """Return the relay's share of the work; 0: it stands by. See `newsletter.delivery.limits.relays`."""
        ...

    @property
    def joins(self) -> Joins:
        """Return what is known of how the relay takes joined envelopes."""
        ...

    async def connect(self, *, sender: str = "") -> Session:
        """Return a session that is ready for mail, to be sent by `sender`; `RelayError` if none can be had."""
        ...


def is_plain(message: bytes) -> bool:
    """Tell whether a message is ASCII, and none of its lines begins with a dot."""
    return message.isascii() and not message.startswith(b".") and b"\n." not in message


def content(letter: Letter) -> list[bytes]:
    """Return a message as it goes behind DATA, its leading dots doubled, and the final dot (RFC 5321, 4.5.2)."""
    pieces = letter.pieces if letter.is_plain else [_LINE_DOT.sub(b"..", b"".join(letter.pieces))]
    return [*pieces, b".\r\n" if pieces[-1].endswith(b"\r\n") else b"\r\n.\r\n"]
