"""A list as its file describes it: one newsletter with its sources, rules, cadence, hour and sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum

from newsletter.core.topics import Topic


class Cadence(StrEnum):
    """How often a list comes out, or a subscriber wants it."""

    DAILY = "daily"
    WEEKLY = "weekly"


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Masthead:
    """What of a list shows on its mail, frozen with each issue."""

    list: str  # the file's name without `.toml`
    title: str
    sender: str  # "Name <address>"
    postal_address: str = ""
    language: str = "en"
    unsubscribe_mailto: str = ""
    intro: str = ""
    outro: str = ""
    theme: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterList:
    """One list. `hour` is a wall-clock time in `timezone` (an IANA name); `days` are numbers, Monday is 0."""

    masthead: Masthead
    sources: tuple[str, ...]
    folder: str = "."  # where the list file stands; saved pages are relative to it
    cadence: Cadence = Cadence.DAILY
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    hour: time = time(8)
    timezone: str = "UTC"
    lookback_days: int = 3
    max_listings: int = 20  # 0: no limit
    min_listings: int = 1
    signup: str = "closed"
    topics: Mapping[str, Topic] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the list's name."""
        return self.masthead.list
