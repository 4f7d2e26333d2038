"""What readers are to get and when, found out in another way than the program does: by looking at clocks.

A local hour is found among all quarter hours (UTC) of the days around; an hour that a day does not have is as much
later as the clocks jump, and one that comes twice is the first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A reader of a list; `hour` and `zone` are their own, or empty: the list's."""

    address: str
    list: str
    hour: str = ""
    zone: str = ""
    weekly: bool = False

    def toml(self) -> str:
        """Return the reader as a list file has them."""
        own = {
            "email": self.address,
            "hour": self.hour,
            "timezone": self.zone,
            "cadence": "weekly" if self.weekly else "",
        }
        return "\n[[subscribers]]\n" + "".join(f'{key} = "{value}"\n' for key, value in own.items() if value)

    def moved_to(self, zone: str) -> Reader:
        """Return the reader in another timezone."""
        return replace(self, zone=zone)


@dataclass(frozen=True, kw_only=True)
class List:
    """A list that comes out on weekdays (Monday is 0), and weekly on one of them, for readers who want that."""

    name: str
    hour: str
    zone: str
    days: tuple[int, ...]
    weekly_day: int
    sources: tuple[str, ...]

    def toml(self) -> str:
        """Return the head of its file; `FEED` stands for the address of the feed."""
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        days = ", ".join(f'"{names[day]}"' for day in self.days)
        sources = ", ".join(f'"{source}"' for source in self.sources)
        return (
            f'title = "Papers of {self.name}"\nsender = "Papers <papers@example.org>"\n'
            f'postal_address = "Institute, Town"\nsources = [{sources}]\nmax_listings = 0\n'
            f'days = [{days}]\nweekly_day = "{names[self.weekly_day]}"\n'
            f'hour = "{self.hour}"\ntimezone = "{self.zone}"\n'
        )

    def slots(self, first: date, last: date, *, weekly: bool) -> list[tuple[date, datetime]]:
        """Return the days on which an issue is due, and when."""
        days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
        wanted = (self.weekly_day,) if weekly else self.days
        return [(day, at(day, self.hour, self.zone)) for day in days if day.weekday() in wanted]


def at(day: date, hour: str, zone: str) -> datetime:
    """Return when clocks in a zone show an hour on a day."""
    return _day_in(day, zone)[time.fromisoformat(hour)]


@cache
def _day_in(day: date, zone: str) -> dict[time, datetime]:
    """Return the moment of each quarter hour that is asked for of a day, whether its clocks show it or not."""
    moment = datetime.combine(day, time(), UTC) - timedelta(hours=16)
    clocks = ZoneInfo(zone)
    shown: dict[time, datetime] = {}
    skipped: dict[time, datetime] = {}
    before = (moment - QUARTER).astimezone(clocks).replace(tzinfo=None)
    for _ in range(4 * 48):
        local = moment.astimezone(clocks).replace(tzinfo=None)
        missing, late = before + QUARTER, moment
        while missing < local:  # the clocks jumped over these
            if missing.date() == day:
                skipped[missing.time()] = late
            missing, late = missing + QUARTER, late + QUARTER
        if local.date() == day:
            shown.setdefault(local.time(), moment)
        before, moment = max(before, local), moment + QUARTER
    return skipped | shown


def due(reader: Reader, of: List, slot: datetime) -> datetime:
    """Return when a reader's copy of a slot's issue is due: at the slot, or at the reader's next hour."""
    if not reader.hour:
        return slot
    zone = reader.zone or of.zone
    first = slot.astimezone(ZoneInfo(zone)).date()
    moments = [at(first + timedelta(days=ahead), reader.hour, zone) for ahead in range(-1, 3)]
    return min(moment for moment in moments if moment >= slot)
