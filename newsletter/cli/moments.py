"""Moments as people read them: to the minute, on the clocks of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


def minute(moment: datetime, timezone: str) -> str:
    """Return a moment as clocks in a zone show it, to the minute: `2026-11-28 13:50`."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


class Clocks:
    """The clocks by which a table shows moments of several lists.

    Where all lists have the same zone, its name stands once: in the heading or, as terminals are narrow, in a line
    of its own after the table. Else it stands beside each moment.
    """

    def __init__(self, timezones: Iterable[str], *, below: bool) -> None:
        """Take the IANA name of each list's zone, and whether the name stands after the table."""
        self._zones = set(timezones)
        self._below = below

    def heading(self, text: str) -> str:
        """Return the heading of a column of moments."""
        return f"{text} ({next(iter(self._zones))})" if len(self._zones) == 1 and not self._below else text

    @property
    def note(self) -> str:
        """Return the line after the table, or nothing."""
        return f"times in {next(iter(self._zones))}" if len(self._zones) == 1 and self._below else ""

    def shown(self, moment: datetime, timezone: str) -> str:
        """Return a moment of a list that has this zone."""
        return minute(moment, timezone) if len(self._zones) == 1 else f"{minute(moment, timezone)} {timezone}"
