"""What delivery asks of a session with a relay, and the letters that it hands over."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple, Protocol

from newsletter.core.delivery import Outcome
from newsletter.core.errors import RelayError

_LINE_DOT = re.compile(rb"(?m)^\.")


class SessionOverError(RelayError):
    """The relay has ended the session between two messages, after at least one went through: a new one will do.

    Relays do so after a number of messages, after some idle time, or when they are restarted; it says nothing of
    their health.
    """


class WithdrawnError(SessionOverError):
    """What was to be sent next was withdrawn after its envelope had been taken, so the session had to end."""


class Letter(NamedTuple):
    """One message in its envelope: bare addresses; final bytes with CRLF line ends, in pieces, the last not empty.

    `is_plain` says that the message is ASCII, and that none of its lines begins with a dot. To search 60 KB for
    that takes longer than to compose them, so it is found out once for an issue. `known_size` is what `size`
    returns if that is known, else 0.
    """

    sender: str
    recipient: str
    pieces: Sequence[bytes]
    is_plain: bool = False
    known_size: int = 0

    @property
    def size(self) -> int:
        """Return the message's length in bytes."""
        return self.known_size or sum(map(len, self.pieces))

    def signed(self, signature: bytes) -> Letter:
        """Return the letter with a signature before its other header fields."""
        size = self.size + len(signature)
        return self._replace(pieces=(signature, *self.pieces), known_size=size)


class Going(Enum):
    """Whether the letter that was announced is begun."""

    NO = "no"  # nothing was done
    NOW = "now"
    LATER = "later"  # when its intent is written


class Feed(Protocol):
    """Gives a session one letter after the other, while all goes well and only notes have to be waited for."""

    def go_on(self, outcome: Outcome, begun: Callable[[BaseException | None], None]) -> Going:
        """Settle the letter that was handed over, and begin the one that was announced with it.

        Args:
            outcome: what became of the letter that was handed over.
            begun: is called if the answer is "later": as soon as the announced letter may be sent, or with what
                to raise from `hand_over` as it may not.
        """
        ...

    def look_ahead(self) -> Letter | None:
        """Return the letter to be announced next, if there is one that needs no waiting."""
        ...


class Session(Protocol):
    """One connection to a relay: greeted, secured and logged in; it carries one message after the other."""

    @property
    def name(self) -> str:
        """Return the relay's host and port, as recorded with each delivery."""
        ...

    @property
    def spent(self) -> bool:
        """Return whether no further message should be handed over here, so that a new session is needed."""
        ...

    @property
    def can_rest(self) -> bool:
        """Return whether the session may stay open, unused, and be used again later.

        It may when it has carried a message: should the relay have ended it meanwhile, that is known to say
        nothing of the relay's health (`SessionOverError`).
        """
        ...

    @property
    def looks_ahead(self) -> bool:
        """Return whether the session is faster if it knows what it will send next."""
        ...

    async def hand_over(
        self, letter: Letter, following: Letter | None = None, feed: Feed | None = None
    ) -> Outcome:
        """Hand over one letter, or many, and return what the relay said of the last one's recipient.

        Args:
            letter: what is sent.
            following: what will be sent next, if anything is sent after this: its envelope may be announced.
            feed: settles the letter and gives others, with which the session may go on by itself.

        Raises:
            SessionOverError: nothing was handed over, and a new session will do.
            RelayError: nothing was handed over, for a reason that is ours or the relay's; the session is of no
                more use.
        """
        ...

    async def close(self) -> None:
        """Say QUIT and close, within two seconds; a transaction that is under way is cut off."""
        ...


def is_plain(message: bytes) -> bool:
    """Return whether a message is ASCII, and none of its lines begins with a dot."""
    return message.isascii() and not message.startswith(b".") and b"\n." not in message


def content(letter: Letter) -> tuple[Sequence[bytes], bytes]:
    """Return a message as it goes out after DATA, leading dots doubled; and the final dot (RFC 5321, 4.5.2)."""
    pieces = letter.pieces if letter.is_plain else (_LINE_DOT.sub(b"..", b"".join(letter.pieces)),)
    return pieces, b".\r\n" if pieces[-1].endswith(b"\r\n") else b"\r\n.\r\n"
