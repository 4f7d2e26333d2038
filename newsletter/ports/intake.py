"""What comes in: the clock, sources, list files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from newsletter.core.errors import ListFileError, UsageError
from newsletter.core.listing import Page
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.subscriber import Subscriber


class Clock(Protocol):
    """Tells the present moment; only the edges hold one."""

    def __call__(self) -> datetime:
        """Return now, aware, UTC."""
        ...


class Source(Protocol):
    """Where listings come from."""

    @property
    def name(self) -> str:
        """Return what identifies the source in the store: its scheme, then `:` and the rest where there is one."""
        ...

    @property
    def dated(self) -> bool:
        """Tell whether pages of past days can be read; if not, only the issue's own day is asked for."""
        ...

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return what the source shows for a day; an empty page where it lists nothing.

        A page that is of an earlier day, as the source has not turned it yet, says so.

        Raises:
            SourceError: the source cannot be read; everything short of that is a skipped record.
        """
        ...


@runtime_checkable
class CatchesUp(Protocol):
    """A source that shows the present day alone, and has another way to what it showed on earlier ones."""

    async def read_missed(self, day: date, *, now: datetime) -> Page:
        """Return what the source must have shown on a day that is over; an empty page where it showed nothing.

        Raises:
            SourceError: it cannot be found out now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedLists:
    """What all list files say, by the names of the lists: `right` are lists, `wrong` the mistakes of files."""

    right: Mapping[str, ListFile]
    wrong: Mapping[str, ListFileError]

    def named(self, name: str) -> ListFile:
        """Return the list of a name.

        Raises:
            ListFileError: its file is wrong.
            UsageError: there is no such list.
        """
        if name in self.wrong:
            raise self.wrong[name]
        if name not in self.right:
            known = ", ".join(sorted({*self.right, *self.wrong})) or "none"
            raise UsageError(f"there is no list {name!r}; there are: {known}")
        return self.right[name]


class Lists(Protocol):
    """The operator's list files."""

    def read(self) -> LoadedLists:
        """Read all list files; a wrong one keeps no other back.

        Raises:
            ConfigurationError: the folder is not there.
        """
        ...

    def load(self) -> Mapping[str, ListFile]:
        """Read all list files.

        Raises:
            ListFileError: any of them holds a mistake; all mistakes are named, nothing is returned.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFile:
    """A list and the subscribers that its file names."""

    list: NewsletterList
    subscribers: tuple[Subscriber, ...]
