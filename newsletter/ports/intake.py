"""What comes in: the clock, sources, list files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from newsletter.core.errors import ListFileError, UsageError
from newsletter.core.listing import Page
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.page_names import is_list_name
from newsletter.ports.rosters import Roster


class Clock(Protocol):
    """Tells the present moment; only the edges hold one."""

    def __call__(self) -> datetime:
        """Return now, aware, UTC."""
        ...


class Source(Protocol):
    """Where listings come from.

    Attributes:
        name: identifies the source in the store: its scheme, then `:` and the rest if there is one.
        dated: whether pages of past days can be read; if not, it is read for the issue's own day only.
    """

    name: str
    dated: bool

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the source's page for a day; an empty page if it lists nothing.

        A source may still show the page of an earlier day; `Page.instead` says so.

        Args:
            day: as the source counts days.
            now: when the page is read; aware, UTC.

        Raises:
            SourceError: the source cannot be read. A record that cannot be read is skipped instead.
        """
        ...


@runtime_checkable
class CatchesUp(Protocol):
    """A source that shows the present day only, and has another way to the pages of earlier days."""

    async def read_missed(self, day: date, *, now: datetime) -> Page:
        """Return what the source must have shown on a past day; an empty page if it showed nothing.

        Raises:
            SourceError: the source cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedLists:
    """What all list files say, by the names of the lists: `right` are lists, `wrong` the mistakes of files."""

    right: Mapping[str, ListFile]
    wrong: Mapping[str, ListFileError]

    @property
    def names(self) -> list[str]:
        """Return the names of all lists, in order."""
        return sorted({*self.right, *self.wrong})

    @property
    def with_mistakes(self) -> list[str]:
        """Return the names of the lists whose files have mistakes, in order; not names that no list may have."""
        return sorted(name for name in self.wrong if is_list_name(name))

    def named(self, name: str) -> ListFile:
        """Return the list of a name.

        Raises:
            ListFileError: its file is wrong.
            UsageError: there is no such list.
        """
        if name in self.wrong:
            raise self.wrong[name]
        if name not in self.right:
            known = ", ".join(self.names) or "none"
            raise UsageError(f"there is no list {name!r}; there are: {known}")
        return self.right[name]


class Lists(Protocol):
    """The operator's list files."""

    def read(self) -> LoadedLists:
        """Read all list files, not their members; a wrong one keeps no other back.

        Raises:
            ConfigurationError: the folder is not there.
        """
        ...

    def load(self) -> Mapping[str, ListFile]:
        """Read all list files, not their members.

        Raises:
            ListFileError: any of them holds a mistake; all mistakes are named, nothing is returned.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFile:
    """A list, and whom its files name."""

    list: NewsletterList
    roster: Roster
