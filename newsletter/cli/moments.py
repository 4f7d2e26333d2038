"""Moments as people read them, to the minute, on the clocks of a list; and as they write them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable


def minute(moment: datetime, timezone: str) -> str:
    """Return a moment as clocks in a zone show it, to the minute: `2026-11-28 13:50`."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M}"


def common_zone(timezones: Iterable[str]) -> str:
    """Return the IANA name of the zone that several lists share, for what belongs to none of them; else UTC."""
    zones = set(timezones)
    return zones.pop() if len(zones) == 1 else "UTC"


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


def read_moment(text: str) -> datetime:
    """Read a moment of the command line: `now`, or ISO 8601; without an offset, by this machine's clock.

    Raises:
        typer.BadParameter: it is neither, or lies in the future.
    """
    from newsletter.bootstrap import utc_now

    now = utc_now()
    if text == "now":
        return now
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r}: write now, or a moment as 2026-03-12T08:00+01:00") from None
    if moment > now:
        raise typer.BadParameter(f"{text}: lies in the future; write now, or a moment that has passed")
    return moment


AssumeSentUntil = Annotated[
    datetime | None,
    typer.Option(
        "--assume-sent-until",
        metavar="MOMENT",
        parser=read_moment,
        help="All that was due by then counts as sent: now, or a moment as 2026-03-12T08:00.",
    ),
]
