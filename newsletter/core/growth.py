"""How many readers a list has from day to day, and who came and went. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderDay:
    """A day (UTC): how many readers there were at its end, and how many came and went on it."""

    day: date
    readers: int
    joined: int = 0
    left: int = 0


def grown(
    readers: int, joined: Mapping[date, int], left: Mapping[date, int], days: Sequence[date]
) -> list[ReaderDay]:
    """Return the days of a list, worked out backwards from how many readers it has now.

    Args:
        readers: at the end of the last day, or now.
        joined: how many came, by day; days that are not there had nobody.
        left: how many went, by day.
        days: the days, one after the other, oldest first.
    """
    found: list[ReaderDay] = []
    for day in reversed(days):
        came, went = joined.get(day, 0), left.get(day, 0)
        found.append(ReaderDay(day=day, readers=readers, joined=came, left=went))
        readers = max(readers - came + went, 0)
    return found[::-1]
