"""What operators look at: numbers of what was delivered, what waits, what came back, what sources showed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from newsletter.core.bounces import EventKind, Outcome
from newsletter.core.delivery import DeliveryState
from newsletter.ports.cluster import RelayRate
from newsletter.ports.records import DeliveryRecord


class Place(NamedTuple):
    """Where a delivery stands among others: those of newer issues come first, within an issue by their numbers."""

    issue_key: int
    key: int


class PlacedDelivery(NamedTuple):
    """A delivery, and its place."""

    place: Place
    record: DeliveryRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """How many reports of one meaning, one status code and one outcome came back."""

    kind: EventKind
    status: str  # RFC 3463; or empty
    outcome: Outcome
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What became of a list's mail: how many were sent, refused at once, came back later, and drew a complaint."""

    list: str
    sent: int
    refused: int
    bounced: int
    complained: int


class Oversight(Protocol):
    """Reads for operators; changes nothing. Each answer takes a moment, however many readers there are."""

    async def totals(self, since: date) -> Mapping[DeliveryState, int]:
        """Return how many deliveries of all issues of a day and later stand in each state."""
        ...

    async def deliveries(
        self,
        states: Collection[DeliveryState],
        *,
        issue_key: int | None = None,
        after: Place | None = None,
        limit: int,
    ) -> list[PlacedDelivery]:
        """Return deliveries in some states, those of newer issues first.

        Args:
            states: the states.
            issue_key: of one issue only; None: of all.
            after: those behind this place.
            limit: how many at most.
        """
        ...

    async def came_back(self, since: datetime) -> list[CameBack]:
        """Return what came back since a moment, the most frequent first; not what is nobody's or forged."""
        ...

    async def read_counts(self, sources: Collection[str], since: date) -> Mapping[str, Mapping[date, int]]:
        """Return how many papers pages of sources held, by source and day, from a day on."""
        ...

    async def returned(self, since: datetime) -> list[Returned]:
        """Return what became of the mail of each list's issues that were closed from a moment on, by list."""
        ...

    async def oldest_due(self, issue_key: int, state: DeliveryState) -> datetime | None:
        """Return since when a delivery of an issue in a state is due; None: there is none.

        Of many, only some are looked at, but for those that are queued.
        """
        ...

    async def relay_rates(self, *, now: datetime) -> list[RelayRate]:
        """Return how many mails each relay took a second in the last minute, by name; only those that took any.

        While much is sent, it is what the newest steps of deliveries say, of a shorter time.
        """
        ...

    async def tried_days(self, source: str, since: date) -> frozenset[date]:
        """Return the days for which a source was asked, from a day on."""
        ...
