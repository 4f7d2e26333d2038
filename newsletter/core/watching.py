"""What is trouble though no step failed: a source that is silent, mail that comes back, mail that does not get on.

Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from newsletter.core.delivery import DeliveryState

# What a source usually does is seen from so many weeks.
WEEKS = 8
# So many days with papers to be expected may pass without any, holidays among them.
_PATIENCE = 2
_LEAST_SEEN = 2  # of a weekday, to know what is usual on it
_MOST_DAYS = 7 * WEEKS
_NOT_MADE = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)
_LEAST_DEFERRED, _SHARE_DEFERRED = 5, 0.02
# A share that was too large must fall below this part of the limit before all is well again.
_WELL_BELOW = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """From when on a share is too large: from so many per cent (0: never), and from so many at least."""

    percent: float
    least: int

    def is_passed(self, part: int, whole: int, *, lasts: bool) -> bool:
        """Return whether a share is too large.

        Args:
            part: how many of `whole`.
            whole: how many in all.
            lasts: whether it was too large before: then a little less is still too much.
        """
        if not self.percent or part < (1 if lasts else self.least):
            return False
        return 100 * part > self.percent * (_WELL_BELOW if lasts else 1) * whole


def stuck_states(counts: Mapping[DeliveryState, int]) -> list[DeliveryState]:
    """Return the states in which it matters that an issue's deliveries are old, where there are any.

    That one server says "later" for a day is usual, and means nothing as long as these are few.
    """
    found = [state for state in _NOT_MADE if counts.get(state)]
    deferred = counts.get(DeliveryState.DEFERRED, 0)
    if deferred >= max(_LEAST_DEFERRED, _SHARE_DEFERRED * sum(counts.values())):
        found.append(DeliveryState.DEFERRED)
    return found


def silent_since(papers: Mapping[date, int], tried: Collection[date], today: date) -> date | None:
    """Return the last day on which a source showed papers, if it has been silent longer than usual; else None.

    What is usual follows from its own days: on which weekdays it shows papers, and how many of these days in a row
    it was silent before. So weekends, and sources that come out weekly, are no silence.

    Args:
        papers: how many it showed, by day; days without may be left out.
        tried: the days for which it was asked.
        today: the present day, which is not over.
    """
    days = [today - timedelta(days=ago) for ago in range(_MOST_DAYS, 0, -1)]
    shown = [day for day in days if papers.get(day)]
    if not shown:
        return None
    last = shown[-1]
    asked = set(tried)
    usual = _usual_weekdays([day for day in days if day < last and day in asked], papers)
    longest = gap = 0
    for day in days:
        if papers.get(day):
            longest, gap = max(longest, gap), 0
        elif day in asked and day.weekday() in usual:
            gap += 1
    return last if gap > max(longest, _PATIENCE) else None


def _usual_weekdays(days: Collection[date], papers: Mapping[date, int]) -> set[int]:
    """Return the weekdays on which a source mostly showed papers."""
    usual = set()
    for weekday in range(7):
        seen = [bool(papers.get(day)) for day in days if day.weekday() == weekday]
        if len(seen) >= _LEAST_SEEN and 2 * sum(seen) >= len(seen):
            usual.add(weekday)
    return usual
