"""The names of backups: with the date in them, and which of them are old. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_DATE, _TIME = "{date}", "{time}"


def named(pattern: str, made_at: datetime) -> str:
    """Return the name of a backup: `{date}` is the day, as 2026-11-29, `{time}` the time, as 130500, in UTC."""
    at = made_at.astimezone(UTC)
    return pattern.replace(_DATE, f"{at:%Y-%m-%d}").replace(_TIME, f"{at:%H%M%S}")


def is_dated(pattern: str) -> bool:
    """Return whether backups of different days have different names."""
    return _DATE in pattern


def outdated(pattern: str, names: Iterable[str], *, keep: int) -> list[str]:
    """Return the names of the backups of a pattern that are not among the newest.

    Args:
        pattern: with `{date}` in it.
        names: of all files in the folder; those that are no backups of this pattern are left alone.
        keep: how many are kept.
    """
    form = re.escape(pattern)
    form = form.replace(re.escape(_DATE), r"(\d{4}-\d\d-\d\d)").replace(re.escape(_TIME), r"(\d{6})")
    found = [(match.groups(), name) for name in names if (match := re.fullmatch(form, name, re.ASCII))]
    return [name for _, name in sorted(found, reverse=True)[keep:]]
