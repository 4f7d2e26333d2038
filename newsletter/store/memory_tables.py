"""What the parts of the store in memory share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import structlog

from newsletter.core.dead_addresses import is_another_day
from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.identity import ListingId
from newsletter.core.issue import Issue
from newsletter.core.listing import Listing, Sighting
from newsletter.core.steps import NOT_YET_SENT, Standing, Step, barred, dead_address, walk
from newsletter.core.subscriber import Subscriber, SubscriberStatus, address_key

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Row:
    """A delivery; the fields are the columns of the table `deliveries`."""

    key: int
    issue_key: int
    subscriber_key: int
    email: str
    state: DeliveryState
    due_at: datetime
    ready_at: datetime | None
    reason: str
    updated_at: datetime
    next_attempt_at: datetime | None = None
    attempts: int = 0
    relay: str = ""
    code: int | None = None
    text: str = ""
    claimed_by: str | None = None

    def __post_init__(self) -> None:
        self.state = DeliveryState(self.state)

    def become(self, values: Mapping[str, Any]) -> None:
        """Take new values."""
        for name, value in values.items():
            setattr(self, name, value)
        self.state = DeliveryState(self.state)


@dataclass(slots=True)
class Dead:
    """An address that was called dead; the fields are the columns of the table `dead_addresses`."""

    issue_key: int
    since: datetime
    reason: str
    held: bool = False


@dataclass(slots=True)
class Reading:
    """What reading a page came to; the fields are the columns of the table `readings`."""

    attempted_at: datetime | None = None
    read_at: datetime | None = None
    listings: int | None = None
    settled: bool = False
    error: str = ""


@dataclass(slots=True)
class Tables:
    """What the parts of the store share. All changes happen without awaiting, so each is one transaction."""

    listings: dict[int, tuple[Listing, tuple[ListingId, ...]]] = field(default_factory=dict)
    sightings: list[tuple[int, Sighting]] = field(default_factory=list)
    readings: dict[tuple[str, date], Reading] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    subscribers: dict[int, Subscriber] = field(default_factory=dict)
    numbers: dict[tuple[str, str], int] = field(default_factory=dict)  # of subscribers, by list and address key
    # The reason and since when, by address and list.
    suppressions: dict[tuple[str, str | None], tuple[str, datetime]] = field(default_factory=dict)
    dead: dict[str, Dead] = field(default_factory=dict)  # by address
    deliveries: dict[int, Row] = field(default_factory=dict)
    events: list[Step] = field(default_factory=list)
    last_listing: int = 0  # numbers of merged listings aren't given again

    def suppression(self, list_name: str, key: str) -> str | None:
        """Return why an address is suppressed for a list or for all, or None."""
        found = self.suppressions.get((key, list_name)) or self.suppressions.get((key, None))
        return found[0] if found else None

    def change(self, changes: Sequence[Change]) -> frozenset[int]:
        """Take steps of deliveries; return the keys of those left out."""
        rows = [row for key in {change.key for change in changes} if (row := self.deliveries.get(key))]
        standings = {row.key: Standing(row.state, row.due_at, row.attempts, row.claimed_by) for row in rows}
        walked = walk(standings, changes)
        for step in walked.steps:
            self.deliveries[step.key].become(step._asdict())
        self.events += walked.steps
        for change in walked.suppress:
            self._note_dead(change)
        for change, reason in walked.left_out:
            log.warning("change_left_out", delivery=change.key, to=change.state.value, reason=reason)
        return frozenset(change.key for change, _ in walked.left_out)

    def _note_dead(self, change: Change) -> None:
        """Note that a relay called the address of a delivery dead."""
        row, reason = self.deliveries[change.key], dead_address(change)
        known = self.dead.setdefault(address_key(row.email), Dead(row.issue_key, change.at, reason))
        if is_another_day(known.since, change.at):
            self.suppress(row.email, None, reason, change.at)
            del self.dead[address_key(row.email)]

    def suppress(
        self, email: str, list_name: str | None, reason: str, now: datetime, since: datetime | None = None
    ) -> bool:
        """Never mail an address again; tell whether that is news."""
        key = address_key(email)
        is_news = (key, list_name) not in self.suppressions
        self.suppressions.setdefault((key, list_name), (reason, since or now))
        theirs = {
            number
            for (name, address), number in self.numbers.items()
            if address == key and list_name in {None, name}
        }
        for number in theirs:
            self.subscribers[number] = replace(self.subscribers[number], status=SubscriberStatus.UNSUBSCRIBED)
        self.withdraw(theirs, barred(SubscriberStatus.UNSUBSCRIBED, reason), now)
        return is_news

    def withdraw(self, subscriber_keys: Collection[int], reason: str, now: datetime) -> None:
        """Withdraw what these subscribers were not sent yet."""
        self.change(
            [
                Change(key=row.key, state=DeliveryState.WITHDRAWN, at=now, reason=reason)
                for row in self.deliveries.values()
                if row.subscriber_key in subscriber_keys and row.state in NOT_YET_SENT
            ]
        )

    def counts(self, issue_key: int) -> dict[DeliveryState, int]:
        """Return how many deliveries of an issue stand in each state; every state is there."""
        counts = dict.fromkeys(DeliveryState, 0)
        for row in self.deliveries.values():
            if row.issue_key == issue_key:
                counts[row.state] += 1
        return counts
