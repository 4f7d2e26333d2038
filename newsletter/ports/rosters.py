"""Whom the files of a list name, without holding them: a list may have a million readers."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFiles:
    """What a list's files were when they were read, so that they are read again only when they have changed.

    `definition` is a digest of all in the list file that decides about its members; `digest` is one of the members
    file's content, "" where there is none. `stamp` holds size and times of the members file; "" if it was written
    so shortly before that a later change might not show in them. `members` counts whom the files name. `examples`
    holds the same of the BibTeX files that the members file names, by name, as JSON.
    """

    definition: str
    stamp: str
    digest: str
    members: int
    examples: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFiles:
    """Files of a list that are right, and name so many subscribers no longer that the operator is to be asked.

    `removed` of the `present` subscribers whom the files had named would go. `since` is when that was found.
    """

    seen: SeenFiles
    removed: int
    present: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of files that were read and found right: how many members, and which cadences they chose."""

    members: int
    cadences: frozenset[Cadence]


class Reading(Protocol):
    """One reading of a list's files, which is over when it was iterated to its end. It may block.

    Attributes:
        seen: what was read; it is there when the iteration has ended.
    """

    seen: SeenFiles

    def __iter__(self) -> Iterator[Member]:
        """Yield the members; after the first mistake nothing more, and the error at the end.

        Raises:
            ListFileError: the files are wrong; with all mistakes, of a file at most 1,000.
            FileChangedError: the members file was written to meanwhile.
        """
        ...


class Roster(Protocol):
    """Whom the files of a list name. Each method may block: call it in a thread.

    Attributes:
        place: the file that names most of them, as messages write it.
    """

    @property
    def place(self) -> str: ...  # noqa: D102 (see above)

    def reading(self) -> Reading:
        """Return a new reading of the files; nothing is read yet."""
        ...

    def as_seen(self, seen: SeenFiles) -> SeenFiles | None:
        """Return what was seen, with the present stamp, if the files are the same; None if they have changed.

        Files whose stamp is the same are not read. Where it differs, or is not to be trusted, the content decides.
        """
        ...

    def is_at_rest(self) -> bool:
        """Return whether nobody seems to write to the files: they did not change within the last seconds."""
        ...

    def check(self) -> Checked:
        """Read the files and find out whether they are right. What was found is kept until they change.

        Raises:
            ListFileError: the files are wrong; with all mistakes, of a file at most 1,000.
            FileChangedError: the members file is being written to.
        """
        ...

    def named(self, keys: Container[str]) -> Iterator[str]:
        """Yield those addresses, as the files write them, whose keys are among some. Mistakes are passed over."""
        ...
