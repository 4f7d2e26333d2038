"""The closed issues of lists."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Protocol

from newsletter.core.choice import Choice
from newsletter.core.delivery import DeliveryState
from newsletter.core.halt import Halt
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.landing import Landing
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import Masthead
from newsletter.core.rendering import Rendering
from newsletter.core.steps import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueSummary:
    """One line of a list's history; `listings` counts those that somebody without wishes gets."""

    list: str
    day: date
    number: int
    subject: str
    listings: int
    frozen_at: datetime
    deliveries: Mapping[DeliveryState, int]
    timezone: str  # the IANA name of its list's, as it was when the issue was closed
    halt: Halt | None = None  # why no more of it is sent; None: it goes out
    halted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOutline:
    """An issue without what is in it: which one it is, how its list presents itself, and where titles lead."""

    key: int
    list: str
    day: date
    frozen_at: datetime
    masthead: Masthead
    landing: Landing


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueHeading:
    """What an archive says of an issue; `listings` counts those that somebody without wishes gets."""

    list: str
    day: date
    number: int
    subject: str
    listings: int


class Issues(Protocol):
    """Closed issues."""

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

    async def headings(self, lists: Collection[str], *, since: date, until: date) -> list[IssueHeading]:
        """Return the issues of some lists, or editions of a list, from `since` to `until`, newest first."""
        ...

    async def days(self, list_name: str, *, since: date | None = None) -> list[date]:
        """Return the days of all issues of a list, or of those from a day on, oldest first."""
        ...

    async def last_number(self, list_name: str) -> int:
        """Return the number of the list's newest issue, 0 where there is none."""
        ...

    async def competed(self, list_name: str, keys: Collection[int]) -> dict[int, bool]:
        """Return which listings competed for issues of the list, each with whether one brought it to everybody.

        That is, to those who have no wishes: the first of an issue's listings, as many as its `length`.
        """
        ...

    async def missed(self, list_name: str, keys: Collection[int]) -> frozenset[int]:
        """Return which listings stand in issues of the list that readers missed (`core.missed`)."""
        ...

    async def listing(self, lists: Collection[str], key: int, *, day: date | None = None) -> IssueListing | None:
        """Return a listing as it stands in the newest issue by day that has it; None where none has it.

        Args:
            lists: the lists, or editions of a list, whose issues count.
            key: the listing's; that of one that was merged into another since stands for the other.
            day: the day of the only issue that counts.
        """
        ...

    async def machine_summaries(
        self, lists: Collection[str], keys: Collection[int]
    ) -> Mapping[int, MachineSummary]:
        """Return what a model wrote of listings, as it stands in the newest issue by day that has it.

        Args:
            lists: the lists, or editions of a list, whose issues count.
            keys: of the listings.
        """
        ...

    async def freeze(
        self,
        draft: Draft,
        subject: str,
        plan: Plan,
        *,
        now: datetime,
        renderings: Mapping[str, Rendering] = MappingProxyType({}),
        needs_reader: bool = False,
        once_for_alike: bool = False,
    ) -> tuple[Issue, bool]:
        """Close an issue: write it, its rendering, the choices and a delivery per subscriber.

        It exists for nobody until all is written. What a process leaves that dies before is thrown away by the
        next one that closes an issue of the list.

        If the (list, day) has an issue already, that one is returned, unchanged, and False. A subscriber whose
        plan names no time, or whose address is suppressed, gets a withdrawn delivery with the reason.

        Two editions of a list are closed one after the other, so that no paper is chosen for a reader by both.

        Args:
            draft: what is in it, and the list's terms.
            subject: of the whole issue.
            plan: decides for each subscriber, as they are when it comes to them. It is given the keys of those of
                the draft's listings that issues of the list, daily or weekly, brought or are to bring them; of
                those whom the terms don't suit, none.
            now: when it is closed.
            renderings: of the issue, by language; under no name that of the list's. Where there is none, it is
                stored later by `keep_rendering`.
            needs_reader: whether to write nothing where nobody is to get it.
            once_for_alike: whether to ask once for all alike in all but address, name and origin.

        Raises:
            StaleDraftError: the history has grown since the draft was made: the list has an issue of another day
                under its number, or a listing was merged into another.
            NoReaderError: it needs a reader, and every delivery would be withdrawn; there is no issue.
            StoreError: another process closes an issue for the same readers, and does not go on.
        """
        ...

    async def add_delivery(self, issue: Issue, subscriber_key: int, plan: Plan, *, now: datetime) -> bool:
        """Add a delivery to an issue that is closed, for a subscriber who joined later; safe to repeat.

        Args:
            issue: the closed issue.
            subscriber_key: who is to get it.
            plan: decides for the subscriber, as in `freeze`.
            now: aware, UTC.

        Returns:
            False, having changed nothing: the subscriber has a delivery of it already or gets none by the plan, or
            the issue is cancelled.
        """
        ...

    async def rendering(self, key: int, language: str = "") -> Rendering | None:
        """Return the rendering of an issue in the list's language, or in another; None if there is none.

        Versions that kept none closed issues without any.
        """
        ...

    async def languages(self, key: int) -> tuple[str, ...]:
        """Return the languages in which an issue is rendered, beside that of its list."""
        ...

    async def keep_rendering(self, key: int, rendering: Rendering) -> Rendering:
        """Store the rendering of an issue in its list's language.

        Return the one that counts: the first that was stored.
        """
        ...

    async def chosen(self, key: int, address_key: str) -> tuple[Choice, str] | None:
        """Return what was chosen from an issue for an address, and the mail's subject; None if nothing was."""
        ...

    async def history(
        self, list_name: str | None = None, *, limit: int = 50, before: date | None = None
    ) -> list[IssueSummary]:
        """Return the newest issues first; `before` leaves out that day and later ones."""
        ...

    async def summaries(self, keys: Collection[int]) -> dict[int, IssueSummary]:
        """Return the issues of these numbers by number, the newest first."""
        ...

    async def count(self, list_name: str | None = None) -> int:
        """Return how many issues there are, of one list or of all."""
        ...
