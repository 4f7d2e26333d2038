"""Addresses that a relay calls dead: which are suppressed, and which are held because a provider may be mistaken.

On a bad day a provider answers "no such user" for readers whom it knew the day before. Their addresses are held:
nobody is suppressed, the next issue asks again, and its answer decides, or the operator.
"""

from __future__ import annotations

from datetime import datetime, timedelta

# The fewest dead addresses of one domain within a day, and the smallest share of its readers.
MANY, SHARE = 3, 0.02
WITHIN = timedelta(days=1)

# Two answers that are so far apart are of different days, also where a day is cut in two by midnight.
_ANOTHER_DAY = timedelta(hours=18)


def is_providers_fault(dead: int, taken: int, *, took_before: bool) -> bool:
    """Return whether so many of a domain's addresses are called dead at once that the domain may be mistaken.

    Args:
        dead: how many of its addresses are called dead within a day.
        taken: how many others it took the same issues for.
        took_before: it took earlier mail for some of those that are called dead.
    """
    return took_before and dead >= MANY and dead >= SHARE * (dead + taken)


def enough_taken(dead: int) -> int:
    """Return the number of others taken from which on so many dead addresses are too few to doubt their domain."""
    return int(dead / SHARE) - dead + 1


def is_another_day(first: datetime, again: datetime) -> bool:
    """Return whether two answers that call an address dead came on different days, and may be believed."""
    return again - first >= _ANOTHER_DAY
