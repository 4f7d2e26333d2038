"""When arXiv announces papers, and which: https://info.arxiv.org/help/availability.html.

Papers that arrive until 14:00 in New York on a weekday are announced that evening, those of Friday on Sunday
evening. The daily feeds show each batch from the midnight after it on, so from Monday to Friday; the batch of a
day is what its feed shows. Holidays delay batches and are not known here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_HOME = ZoneInfo("America/New_York")
_DEADLINE = time(14)
_GRACE = timedelta(hours=2)  # that the feeds may take to be made
_DAY = timedelta(days=1)
_MONDAY, _FRIDAY = 0, 4


def batch_due(day: date, now: datetime) -> date:
    """Return the day of the newest batch that a feed must show, read at a moment for the page of a day."""
    return _weekday_until(min(day, (now.astimezone(_HOME) - _GRACE).date()))


def submitted(day: date) -> tuple[datetime, datetime] | None:
    """Return from when to when the papers of a day's batch arrived, or None where a day has none."""
    if day.weekday() > _FRIDAY:
        return None
    return _deadline(_weekday_until(day - _DAY)), _deadline(day)


def _deadline(day: date) -> datetime:
    """Return until when a paper must have arrived for the batch of a weekday."""
    before = day - (3 * _DAY if day.weekday() == _MONDAY else _DAY)
    return datetime.combine(before, _DEADLINE, _HOME)


def _weekday_until(day: date) -> date:
    return day - max(0, day.weekday() - _FRIDAY) * _DAY
