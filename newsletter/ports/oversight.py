"""What operators look at: numbers of what was delivered, what waits, what came back, what sources showed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from newsletter.core.bounces import EventKind, Outcome
from newsletter.core.delivery import DeliveryState
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
