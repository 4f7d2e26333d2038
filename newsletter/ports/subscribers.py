"""Who reads a list."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member, Subscriber, SyncCounts
from newsletter.ports.rosters import SeenFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCounts:
    """How many read a list, and how many left it since a moment, by their own wish."""

    active: int
    left: int


class Comparison(Protocol):
    """What bringing the subscribers of a list into line with its files would change.

    Who unsubscribed stays so although the files still name them. Who came by another way than the files keeps
    their own wishes, whether the files name them or not. Who is no longer named is removed.

    Attributes:
        counts: how many subscribers that concerns.
    """

    counts: SyncCounts

    async def apply(self, seen: SeenFiles | None, *, now: datetime) -> None:
        """Do it, in one transaction. What removed subscribers were not sent yet is withdrawn.

        Who signed up or left since the comparison keeps that. If another sync was done meanwhile, the comparison
        is made anew, and so are the counts.

        Args:
            seen: what the files were, to be noted in the same transaction; None: the members come from no files.
            now: aware, UTC.

        Raises:
            StoreError: the store cannot be written; nothing was changed.
        """
        ...


class Subscribers(Protocol):
    """Subscribers and suppressions."""

    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        """Return whether an active subscriber of a list has chosen this cadence."""
        ...

    async def count(self, list_name: str, *, since: datetime) -> ReaderCounts:
        """Return how many active subscribers a list has, and how many of its subscribers left since a moment.

        All of the list's subscribers are gone through.
        """
        ...

    def compare(self, list_name: str, members: Iterable[Member]) -> AbstractAsyncContextManager[Comparison]:
        """Compare the subscribers of a list with the members whom its files name; nothing is changed yet.

        Args:
            list_name: the list.
            members: whom the files name; each address at most once. They are iterated in a thread, and not held.

        Raises: what iterating raises, and
            StoreError: the store cannot be read.
        """
        ...

    async def synced_files(self, list_name: str) -> SeenFiles | None:
        """Return what the files of a list were at the last sync, or None if that isn't known."""
        ...

    async def note_files(self, list_name: str, seen: SeenFiles, *, now: datetime) -> None:
        """Note that the files of a list name the same members as at the last sync, but have another stamp."""
        ...

    async def by_key(self, key: int) -> Subscriber | None:
        """Return the subscriber of a number, or None."""
        ...

    async def of_address(self, list_name: str, address_key: str) -> Subscriber | None:
        """Return the subscriber of an address on a list, of whatever status, or None."""
        ...

    async def suppress(self, email: str, *, list_name: str | None, reason: str, now: datetime) -> bool:
        """Never mail an address again, on one list or (None) on all; return whether that is news.

        A subscriber of the list becomes `unsubscribed`, deliveries not yet sent are withdrawn.
        """
        ...
