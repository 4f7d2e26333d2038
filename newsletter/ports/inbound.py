"""What comes back: where it is read, where it is kept, and how services tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from newsletter.core.bounces import FoundBy, InboundEvent, Outcome
from newsletter.ports.suppressions import HeldDomain

_MOST_SHOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An event, and what it came to.

    `list` and `email` are those of the reader, where it is known whose it is; `found_by` says how.
    """

    event: InboundEvent
    outcome: Outcome
    list: str = ""
    email: str = ""
    found_by: FoundBy = FoundBy.NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundCount:
    """How many events of a source came to the same, on a day (UTC)."""

    day: date
    source: str
    outcome: Outcome
    number: int


class InboundEvents(Protocol):
    """What came back, each event once, and what follows from it for its reader."""

    async def take(self, events: Sequence[InboundEvent], *, now: datetime, rehearse: bool = False) -> list[Taken]:
        """Take events, all in one transaction, and do what follows from each (`core.bounces`).

        One that was taken before comes to nothing. Who is called dead is noted for `Suppressions.judge`.

        Args:
            events: in the order in which they came.
            now: aware, UTC.
            rehearse: find out what they come to, and change nothing.
        """
        ...

    async def count_forged(self, source: str, *, now: datetime) -> None:
        """Count a message of a service that it did not sign."""
        ...

    async def counts(self, *, since: date) -> list[InboundCount]:
        """Return what events came to since a day, that day included."""
        ...


class StoredMail(NamedTuple):
    """A mail in a mailbox: its name there, and its beginning, at most so many bytes as are read."""

    name: str
    raw: bytes


class Mailbox(Protocol):
    """Mails that are to be read once."""

    async def unread(self, *, limit: int) -> list[StoredMail]:
        """Return mails that were not returned yet, at most so many; none where all are read.

        Raises:
            InboundError: the mailbox cannot be read; names it and the reason.
        """
        ...

    async def done(self, names: Sequence[str], *, unclear: Collection[str] = ()) -> None:
        """Put mails aside: what they say is kept.

        Args:
            names: of the mails.
            unclear: those of them that said nothing of our readers. They are deleted nowhere.

        Raises:
            InboundError: they stay where they are, and are read once more; that does no harm.
        """
        ...


class MailboxSource(Protocol):
    """A mailbox that can be opened."""

    @property
    def name(self) -> str:
        """Return what it is called in messages."""
        ...

    def open(self) -> AbstractAsyncContextManager[Mailbox]:
        """Give the mailbox for as long as the context lasts; raises `InboundError` if it cannot be opened."""
        ...


@dataclass(slots=True)
class Processed:
    """What reading mailboxes came to.

    Attributes:
        mails: how many were read.
        outcomes: how many events came to what.
        shown: where each of the first events stood, and what it came to.
        held: domains of which addresses are held from now on.
    """

    mails: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    shown: list[tuple[str, Taken]] = field(default_factory=list)
    held: Sequence[HeldDomain] = ()

    def add(self, place: str, taken: Iterable[Taken]) -> None:
        """Add what a mail came to."""
        self.mails += 1
        for one in taken:
            self.outcomes[one.outcome] += 1
            if len(self.shown) < _MOST_SHOWN:
                self.shown.append((place, one))


class ForgedError(Exception):
    """A service did not sign a message, or it is signed for another time."""


class Hooks(Protocol):
    """Services that tell of what comes back by webhooks."""

    @property
    def services(self) -> Collection[str]:
        """Return the names of those that are set up."""
        ...

    async def read(
        self, service: str, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> Sequence[InboundEvent]:
        """Return what a service's message says.

        Args:
            service: the name of one that is set up.
            headers: of the request, with names in lower case.
            body: as it came.
            now: aware, UTC.

        Raises:
            ForgedError: the message is not by it.
            ValueError: it is, and cannot be read.
            NewsletterError: it could not be found out now whether it is.
        """
        ...
