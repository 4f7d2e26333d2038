"""Who reads a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from newsletter.core.barring import Barring
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus, Wishes
from newsletter.core.suppression import SuppressedBy
from newsletter.core.syncing import Barred, ChangeKind, PlannedChange, SyncCounts
from newsletter.ports.rosters import HeldFiles, SeenFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderCounts:
    """How many read a list, and how many left it since a moment, by their own wish."""

    active: int
    left: int


class Comparison(Protocol):
    """What bringing the subscribers of a list into line with its files would change.

    Who unsubscribed stays so although the files still name them. Who came by another way than the files, or has
    chosen for themselves since, keeps their own wishes, whatever the files say. Of those whom the files brought,
    who is no longer named is removed.

    Attributes:
        counts: how many subscribers that concerns.
    """

    counts: SyncCounts

    async def changes(self, kind: ChangeKind, *, limit: int) -> list[PlannedChange]:
        """Return who is added, changed, reactivated or removed, by address; at most `limit`."""
        ...

    async def apply(
        self, seen: SeenFiles | None, *, now: datetime, approve: Callable[[SyncCounts], None] | None = None
    ) -> SyncCounts:
        """Do it, in one transaction, and return what was done. What removed people were not sent is withdrawn.

        Who signed up or left since the comparison keeps that. If another sync was done meanwhile, the comparison
        is made anew.

        Args:
            seen: what the files were, to be noted in the same transaction; None: the members come from no files.
            now: aware, UTC.
            approve: is called with the counts before anything is changed, and may raise.

        Raises: what `approve` raises; nothing was changed then; and
            StoreError: the store cannot be written; nothing was changed.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberRecord:
    """A subscriber as an operator reads it.

    `joined_at` and `changed_at` are aware, UTC. `barred` says why no mail goes to the address, or is None.
    `own_wishes_since` is when the reader first chose for themselves (aware, UTC); None: they did not.
    """

    key: int
    subscriber: Subscriber
    joined_at: datetime
    changed_at: datetime
    barred: Barred | None
    own_wishes_since: datetime | None = None


class Leaver(NamedTuple):
    """A subscriber who leaves the list; `is_news` is False if they had left before, or were suppressed there."""

    subscriber: Subscriber
    is_news: bool


class Confirmed(NamedTuple):
    """What a reader's own confirmation came to.

    `key` is the subscriber's number; None if they stay out. `is_news` is False if they read already, or stay out.
    `barred` says why they stay out, or is None.
    """

    key: int | None
    is_news: bool
    barred: Barred | None = None


class Subscribers(Protocol):
    """Subscribers and suppressions."""

    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        """Return whether an active subscriber of a list has chosen this cadence."""
        ...

    async def languages(self, list_name: str, suits: Callable[[Cadence | None], bool]) -> frozenset[str]:
        """Return the languages that active subscribers of a list have chosen; `suits` narrows them by cadence."""
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

    async def barred(self, list_name: str) -> Barring:
        """Return who gets no mail of a list, having left, being suppressed, or being erased."""
        ...

    async def held_files(self, list_name: str) -> HeldFiles | None:
        """Return which files of a list wait for the operator's word, or None."""
        ...

    async def hold_files(self, list_name: str, held: HeldFiles) -> None:
        """Note which files of a list wait for the operator's word. The next sync that is done ends that."""
        ...

    async def records(
        self,
        *,
        list_name: str | None = None,
        address_key: str | None = None,
        statuses: Collection[SubscriberStatus] = (),
        after: int = 0,
        limit: int = 1000,
    ) -> list[SubscriberRecord]:
        """Return subscribers as an operator reads them, in the order of their keys; at most `limit`.

        Args:
            list_name: narrows to one list.
            address_key: narrows to one address.
            statuses: narrows to these; empty: any.
            after: only those whose keys are greater.
            limit: how many at most.
        """
        ...

    async def addresses(self, list_name: str, *, prefix: str, limit: int) -> list[str]:
        """Return addresses of active subscribers of a list, in their order, those that begin so; at most `limit`.

        `prefix` is compared as addresses are: in lower case.
        """
        ...

    async def number(self, *, list_name: str | None = None, statuses: Collection[SubscriberStatus] = ()) -> int:
        """Return how many subscribers `records` would return without a limit."""
        ...

    async def add(self, list_name: str, member: Member, origin: Origin, *, now: datetime) -> bool:
        """Put a person on a list; return False, having changed nothing, if the address is known there.

        Who was removed, as the files named them no longer, is put on it anew.

        Raises:
            UsageError: no mail goes to the address; says why, and how to change that.
        """
        ...

    async def add_all(
        self, list_name: str, members: Sequence[Member], origin: Origin, *, now: datetime
    ) -> Mapping[str, Barred | None]:
        """Put people on a list as `add` does, some in each transaction; return whom that left as they were.

        By the keys of their addresses: why no mail goes there, or None for who was on the list already.
        """
        ...

    async def left_out(self, list_name: str, members: Sequence[Member]) -> Mapping[str, Barred | None]:
        """Return whom `add_all` would leave as they are, and why; nothing is changed."""
        ...

    async def by_key(self, key: int) -> Subscriber | None:
        """Return the subscriber of a number, or None."""
        ...

    async def of_address(self, list_name: str, address_key: str) -> Subscriber | None:
        """Return the subscriber of an address on a list, of whatever status, or None."""
        ...

    async def change_wishes(
        self, key: int, change: Callable[[Wishes], Wishes], *, now: datetime
    ) -> Subscriber | None:
        """Change what an active reader chose by themselves: all of it at once, and no file changes it any more.

        With a pause alone the other wishes stay the file's. When a pause begins, what the reader was not sent yet
        of issues of days before its end is withdrawn.

        Args:
            key: the subscriber's number.
            change: is given the wishes as they are, and returns them as they are to be, as far as the reader's
                list can meet them (`newsletter.core.wishes.fitted`). No other change comes between.
            now: aware, UTC.

        Returns:
            The subscriber with these wishes; None: the number is of nobody who reads the list.
        """
        ...

    async def suppress(
        self,
        address: str,
        *,
        list_name: str | None,
        reason: str,
        now: datetime,
        by: SuppressedBy = SuppressedBy.OPERATOR,
        evidence: str = "",
    ) -> bool:
        """Never mail an address again, on one list or (None) on all; return whether that is news.

        A subscriber of the list becomes `unsubscribed`, deliveries not yet sent are withdrawn. The subscribers of
        a whole domain (`@example.org`) stay as they are: no issue is planned for them, and their deliveries are
        withdrawn when they are claimed. What is suppressed already keeps its reason, unless the operator's word
        comes now.

        Args:
            address: an address, or a domain.
            list_name: the list; None: all lists.
            reason: why, in a few words, such as `unsubscribed` or what a relay said.
            now: aware, UTC.
            by: by whose word; it decides whether the reader's own confirmation ends it
                (`core.suppression.ends_by_confirmation`).
            evidence: what shows it, for whoever looks at it later: which bounce, which file and line, or what the
                reader gave as a reason.
        """
        ...

    async def leave(self, key: int, *, reason: str, now: datetime, evidence: str = "") -> Leaver | None:
        """Do what `suppress` does for the subscriber of a number, on their list, by their word; None: no such."""
        ...

    async def return_by_confirmation(self, list_name: str, member: Member, *, now: datetime) -> Confirmed:
        """Put a person on a list who confirmed that from their own address; in one transaction, safe to repeat.

        What kept them out ends, as far as their confirmation ends it (`core.suppression.ends_by_confirmation`): on
        this list and on all lists. On other lists that they were on, what was for all lists goes on. They are of
        origin `web` from now on, with these wishes, so that no file takes them off. Who reads the list already
        keeps their wishes. Who is kept out by the operator's word, or with a whole domain, stays out.
        """
        ...
