"""Days as people write them."""

from __future__ import annotations

import re
from datetime import date

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# Dates near the ends of what `date` holds have no day before or after them, in whatever timezone.
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2199, 12, 31)


def read_day(text: str) -> date:
    """Return the day that a person wrote, as in 2026-03-12.

    Raises:
        ValueError: it is no day of the calendar, or none that a newsletter can come out on; says what to write.
    """
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise ValueError(f"{text[:40]!r} is not a date: write it as 2026-03-12")
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise ValueError(f"{text} is no day of a newsletter: write one from {_FIRST_DAY} to {_LAST_DAY}")
    return day
