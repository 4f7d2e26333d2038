"""Lengths of time as operators write them."""

from __future__ import annotations

import re
from datetime import timedelta

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = timedelta(days=3660)


def read_duration(text: str) -> timedelta | None:
    """Return the time that `36h`, `90m`, `45s`, `2d` or a number of seconds stands for.

    Returns:
        The time, or None if the text is none of these, or zero.

    Raises:
        ValueError: it is longer than anybody can mean; says what to write.
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"write a duration of at most {_LONGEST.days} days")
    return timedelta(seconds=seconds) or None
