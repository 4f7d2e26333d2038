"""The issues of lists, as they are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from newsletter.core.delivery import DeliveryState, Planned
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import Cadence, Masthead
from newsletter.core.subscriber import Subscriber


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueSummary:
    """One line of a list's history."""

    list: str
    day: date
    number: int
    subject: str
    listings: int
    frozen_at: datetime
    deliveries: Mapping[DeliveryState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOutline:
    """An issue without what is in it: which one it is, and how its list presents itself."""

    key: int
    list: str
    day: date
    frozen_at: datetime
    masthead: Masthead


class Issues(Protocol):
    """Frozen issues."""

    async def find(self, list_name: str, day: date) -> Issue | None:
        """Return the issue of a list and day, or None."""
        ...

    async def get(self, key: int) -> Issue | None:
        """Return the issue of a number, or None."""
        ...

    async def latest(self, list_name: str, *, before: date | None = None) -> Issue | None:
        """Return the newest issue by day, or None; `before` leaves out that day and later ones."""
        ...

    async def outline(self, list_name: str, day: date | None = None) -> IssueOutline | None:
        """Return the outline of a list's issue of a day, or of its newest by day; None if there is none.

        It costs one row, however long the issue.
        """
        ...

    async def last_number(self, list_name: str) -> int:
        """Return the number of the list's newest issue, 0 where there is none."""
        ...

    async def listing_keys(self, list_name: str) -> set[int]:
        """Return the keys of all listings in the list's issues so far."""
        ...

    async def had(
        self, list_name: str, listing_keys: Collection[int], *, cadence: Cadence, usual: Cadence
    ) -> dict[str, frozenset[int]]:
        """Return which of these listings the issues of a list brought to whom, by address key.

        Of its readers only those count who want `cadence`, where one who has chosen none wants the `usual` one.
        What was withdrawn or refused was not brought.
        """
        ...

    async def freeze(
        self,
        draft: Draft,
        subject: str,
        plan: Callable[[Subscriber], Planned],
        *,
        now: datetime,
        needs_reader: bool = False,
    ) -> tuple[Issue, bool]:
        """Write the issue and one delivery per active subscriber, all in one transaction.

        If the (list, day) has an issue already, that one is returned, unchanged, and False. A subscriber whose
        plan names no time, or whose address is suppressed, gets a withdrawn delivery with the reason.

        Raises:
            StaleDraftError: the list has an issue of another day under the draft's number: the draft was held
                against a history that has grown since, and might repeat its listings.
            NoReaderError: it needs a reader, and every delivery would be withdrawn; nothing is written.
        """
        ...

    async def history(self, list_name: str | None = None, *, limit: int = 50) -> list[IssueSummary]:
        """Return the newest issues first."""
        ...
