"""How long the ledger keeps what it does not need for ever. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepFor:
    """How long things are kept; None: for ever.

    Attributes:
        delivery_details: each step of a delivery, what relays said, and the reader's name as it was.
        deliveries: who was sent which issue, and what was chosen from it for them.
        inbound: what came back.
        sightings: each sighting of a paper; of older ones the first of all and the last of each day are kept.
    """

    delivery_details: timedelta | None = None
    deliveries: timedelta | None = None
    inbound: timedelta | None = None
    sightings: timedelta | None = None


class SeenAt(NamedTuple):
    """A sighting: its number, its listing, and when it was; aware, UTC."""

    key: int
    listing_key: int
    seen_at: datetime


def is_due(tidied_at: datetime | None, now: datetime) -> bool:
    """Return whether old rows are to be removed: it was done a day ago or never, or the clock was set back."""
    return tidied_at is None or not timedelta() <= now - tidied_at < A_DAY


def superfluous(seen: Iterable[SeenAt]) -> list[int]:
    """Return the numbers of sightings that are not kept for ever, of those of a source and a day that it listed.

    Of each listing the first is kept, and the last of each day (UTC).

    Args:
        seen: all of them; those of a listing stand together, oldest first.
    """
    dropped: list[int] = []
    for _, group in groupby(seen, key=lambda one: one.listing_key):
        _first, *later = group
        for _, day in groupby(later, key=lambda one: one.seen_at.date()):
            dropped += [one.key for one in day][:-1]
    return dropped
