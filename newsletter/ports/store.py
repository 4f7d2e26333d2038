"""The ledger, behind narrow doors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from newsletter.core.delivery import WAITING, DeliveryState
from newsletter.core.listing import Skipped
from newsletter.core.newsletter_list import Masthead

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from newsletter.core.delivery import Change, Delivery, Planned, Uncertain
    from newsletter.core.issue import Draft, Issue
    from newsletter.core.listing import Candidate, Entry
    from newsletter.core.newsletter_list import Cadence
    from newsletter.core.subscriber import Subscriber, SyncPlan
    from newsletter.ports.suppressions import HighWater, Suppressions


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording a page changed."""

    listings: int  # listings on the page, each once
    new: int  # … of them unknown until now
    merged: tuple[str, ...] = ()  # one line for each two listings that turned out to be one
    repeats: tuple[Skipped, ...] = ()  # entries that are the listing of an earlier one on the page


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One delivery as an operator reads it."""

    key: int
    list: str
    day: date
    email: str
    state: DeliveryState
    due_at: datetime
    attempts: int
    updated_at: datetime
    next_attempt_at: datetime | None
    relay: str
    code: int | None
    text: str
    reason: str


class HindranceKind(StrEnum):
    """What it is that holds mail up."""

    DOMAIN = "domain"  # a recipient domain that asked us to slow down
    RELAY = "relay"  # a relay in trouble
    PACE = "pace"  # a rate that messages may have used up
    JOINING = "joining"  # a relay that takes one message at a time: see `newsletter.delivery.experience`


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """What holds mail up for a while, beyond the run that learnt of it."""

    kind: HindranceKind
    name: str  # of the domain or relay
    since: datetime
    until: datetime | None = None  # None: until it turns out to be over
    times: int = 1  # how often in a row
    given_up: bool = False  # a relay that was not tried again within the run
    reason: str = ""  # what was said, in one line
    forgotten_at: datetime  # from then on it counts for nothing


class Library(Protocol):
    """Listings and sightings; only ever grows."""

    async def record(self, source: str, day: date, entries: Sequence[Entry], *, now: datetime) -> Recorded:
        """Add a page that was read, in one transaction; recording it again adds nothing.

        What shows that an entry is a known listing is weighed in `core.evidence`; a stronger identity that is
        learnt now becomes its id, and history follows. What a source lists for the first time is listed on `day`,
        whatever its own date, save on the source's first page (`core.matching.first_shown`). A sighting whose
        votes, comments, stars and position are those of the newest one of the same listing, source and day is not
        repeated.
        """
        ...

    async def attempted(self, source: str, day: date, *, now: datetime, settled: bool, error: str = "") -> None:
        """Note that a page was tried. `settled`: it was read after its day had ended, and won't be missed."""
        ...

    async def unsettled(self, source: str) -> frozenset[date]:
        """Return the days that were tried and never settled."""
        ...

    async def read_days(self, source: str) -> frozenset[date]:
        """Return the days whose page was read, while they lasted or later."""
        ...

    async def candidates(self, sources: Sequence[str], *, since: date, until: date) -> list[Candidate]:
        """Return the listings that these sources showed from `since` to `until`, with those sightings."""
        ...


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


class Roster(Protocol):
    """Subscribers and suppressions."""

    async def subscribers(self, list_name: str) -> list[Subscriber]:
        """Return all subscribers of a list, of every status, by address."""
        ...

    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        """Tell whether an active subscriber of a list has chosen this cadence."""
        ...

    async def apply(self, list_name: str, plan: SyncPlan, *, now: datetime) -> None:
        """Do what a sync plan says, in one transaction."""
        ...

    async def key_of(self, list_name: str, email: str) -> int | None:
        """Return the store's number of a subscriber, or None."""
        ...

    async def by_key(self, key: int) -> Subscriber | None:
        """Return the subscriber of a number, or None."""
        ...

    async def suppress(self, email: str, *, list_name: str | None, reason: str, now: datetime) -> bool:
        """Never mail an address again, on one list or (None) on all; tell whether that is news.

        A subscriber of the list becomes `unsubscribed`, deliveries not yet sent are withdrawn.
        """
        ...

    async def suppressed(self, list_name: str) -> set[str]:
        """Return the address keys that are suppressed for a list, by itself or for all lists."""
        ...


class Outbox(Protocol):
    """The deliveries still to be made. `worker` names a living process; what a dead one held is recovered."""

    def worker(self) -> AbstractAsyncContextManager[str]:
        """Register this process for as long as the context lasts; gives its name.

        A process that is killed is known as dead at once, without waiting for a lease to run out.
        """
        ...

    async def claim(
        self, worker: str, *, now: datetime, limit: int, issue_key: int | None = None
    ) -> list[Delivery]:
        """Take due deliveries (queued, or deferred and due again) for this worker, oldest due first.

        No two workers get the same one. Suppressed ones are withdrawn instead. `issue_key` narrows to one issue.
        """
        ...

    async def hasten(self, issue_key: int, *, now: datetime, states: Collection[DeliveryState] = WAITING) -> None:
        """Make deliveries of an issue due now, as somebody wishes: all that wait, or those in some states.

        They are late, and retried in vain for too long, only as from now. What is uncertain becomes due now if it
        is queued again.
        """
        ...

    async def withdraw_late(self, issue_key: int, *, due_before: datetime, reason: str, now: datetime) -> int:
        """Withdraw what was due before a moment and waits still; return how many.

        What a worker holds is left to it.
        """
        ...

    async def record(self, changes: Sequence[Change]) -> Collection[int]:
        """Write steps of deliveries in one transaction, one after the other; durable when it returns.

        A change that asks to suppress makes the address one that `Suppressions.judge` decides on; if it was called
        dead on another day before, it is suppressed at once.

        A change that is not a step forward from the row's state (`core.delivery.FORWARD`) is left out; returns
        the keys of those. A message whose intent was left out, say because the reader left meanwhile, is not sent.
        """
        ...

    async def release(self, worker: str) -> None:
        """Give back what this worker claimed and did not begin."""
        ...

    async def dead_workers(self) -> list[str]:
        """Return the workers that are dead and still hold deliveries."""
        ...

    async def recover(
        self,
        policy: Uncertain,
        *,
        now: datetime,
        workers: Collection[str] | None = None,
        unread: Collection[str] = (),
    ) -> int:
        """Bring back what dead workers held, and return how many deliveries had been in flight.

        Claimed ones are queued again; those in flight are `uncertain`, and under `resend` queued again.
        `workers` narrows it to some of the dead ones: those whose own notes have been read before. Of the `unread`
        ones the notes are lost: all that they held counts as in flight.
        """
        ...

    async def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue stand in each state."""
        ...

    async def times(self, key: int, state: DeliveryState) -> int:
        """Return how often a delivery has come into a state."""
        ...

    async def suppressed_count(self, issue_key: int) -> int:
        """Return how many of its withdrawn deliveries are so because the address is suppressed."""
        ...

    async def next_due(self, issue_key: int | None = None) -> datetime | None:
        """Return when the next queued or deferred delivery (of an issue, or of all) is due, or None."""
        ...

    async def open_issues(self, list_name: str) -> list[int]:
        """Return the keys of issues that have queued, sending, deferred deliveries, oldest day first."""
        ...

    async def records(
        self,
        *,
        list_name: str | None = None,
        day: date | None = None,
        states: Collection[DeliveryState] = (),
        limit: int = 1000,
    ) -> list[DeliveryRecord]:
        """Return deliveries as an operator reads them, newest issue first."""
        ...


class Hindrances(Protocol):
    """What holds mail up for a while; each is known by kind and name."""

    async def known(self, *, now: datetime) -> list[Hindrance]:
        """Return what is not forgotten by now, by kind and name."""
        ...

    async def note(
        self,
        changed: Sequence[Hindrance],
        *,
        over: Collection[tuple[HindranceKind, str]] = (),
        now: datetime,
    ) -> None:
        """Write these in one transaction, each in place of what was known of it before.

        What is `over`, by kind and name, is removed, and so is all that is forgotten by now.
        """
        ...


class Slots(Protocol):
    """What became of a list's slots, beyond its issues."""

    async def first_seen(self, list_name: str, *, now: datetime) -> datetime:
        """Return when a list was first looked at for what is due: now, if it never was."""
        ...

    async def in_vain(self, list_name: str) -> date | None:
        """Return the last day on which a list's slot led to no issue, as there was nothing to send or nobody."""
        ...

    async def note_in_vain(self, list_name: str, day: date, *, now: datetime) -> None:
        """Note such a day, in place of the one before."""
        ...


class Store(Protocol):
    """One ledger behind narrow doors."""

    @property
    def library(self) -> Library:
        """Return the listings and sightings."""
        ...

    @property
    def issues(self) -> Issues:
        """Return the frozen issues."""
        ...

    @property
    def roster(self) -> Roster:
        """Return subscribers and suppressions."""
        ...

    @property
    def outbox(self) -> Outbox:
        """Return the deliveries to be made."""
        ...

    @property
    def hindrances(self) -> Hindrances:
        """Return what holds mail up for a while."""
        ...

    @property
    def suppressions(self) -> Suppressions:
        """Return the addresses that are not mailed any more."""
        ...

    @property
    def high_water(self) -> HighWater:
        """Return how far the ledger has come."""
        ...

    @property
    def slots(self) -> Slots:
        """Return what became of slots."""
        ...

    @property
    def file(self) -> Path | None:
        """Return the file that holds the ledger, where it is one: then all who use it run on this machine."""
        ...

    async def close(self) -> None:
        """Let go of connections and files."""
        ...
