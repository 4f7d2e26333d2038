"""What goes out: messages, relays, and who empties the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from newsletter.core.delivery import Delivery, Outcome
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import NewsletterList


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


class Composed(NamedTuple):
    """One reader's message in pieces; where it is to be signed, `sign` makes what comes before them.

    A signature takes longer than all the rest, but not the interpreter's lock, so it is better made in a thread.
    """

    sender: str  # the envelope's
    pieces: Sequence[bytes]
    sign: Callable[[], bytes] | None = None


class Message(Protocol):
    """A rendered issue that makes each reader's message."""

    @property
    def html_bytes(self) -> int:
        """Return the size of the HTML part before transfer encoding: what Gmail clips by."""
        ...

    def for_reader(self, delivery: Delivery) -> tuple[str, bytes]:
        """Return the envelope sender and the final bytes for one reader; costs microseconds."""
        ...

    def composed_for(self, delivery: Delivery) -> Composed:
        """Return the same in pieces, the last of them not empty; nearly all of it is one object for all readers.

        If no line of one reader's bytes begins with a dot, then none of any reader's does; and if they are ASCII,
        then those of every reader with an ASCII address are.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchReport:
    """What one turn of delivering did, in deliveries.

    `returned` are still open: left in the outbox because of trouble with the relay or a stop. `trouble` says
    what it was with the relay, in one line, or is empty.
    """

    sent: int = 0
    deferred: int = 0
    refused: int = 0
    uncertain: int = 0
    returned: int = 0
    trouble: str = ""


class Dispatcher(Protocol):
    """Empties the outbox."""

    async def deliver(
        self,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        issue_key: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> DispatchReport:
        """Deliver what is due, of one issue or of all, and return when nothing more is.

        Args:
            message_for: gives an issue's message by the issue's key; asked only if there is something due.
            issue_key: narrows to one issue.
            progress: hears of each delivery.
            stop: when set, what is in flight is finished and settled, the rest left in the outbox.
        """
        ...


class Renderer(Protocol):
    """Turns issues into mail."""

    def subject(self, draft: Draft) -> str:
        """Return the subject line of a draft, one line of plain text.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...

    def message(self, issue: Issue, config: NewsletterList) -> Message:
        """Render an issue once, for all readers.

        Raises:
            RenderError: the template is wrong; names template and line.
        """
        ...


class Progress(Protocol):
    """Hears how far long work has come."""

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        """Note one more delivery that was settled."""
        ...
