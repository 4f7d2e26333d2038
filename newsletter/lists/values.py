"""How the texts in list files are read: hours, timezones, cadences, colours. TOML and CSV read them alike.

Each reader takes a text and returns its value, or raises a ValueError that says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import time, timedelta
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from newsletter.core.choice import TextKind
from newsletter.core.durations import read_duration
from newsletter.core.landing import Landing
from newsletter.core.languages import matching
from newsletter.core.newsletter_list import WEEKDAYS, Cadence, Hours, QuietDays
from newsletter.core.subject import read_pattern
from newsletter.core.text import CONTROLS
from newsletter.core.topics import TopicsMode
from newsletter.render.issue.catalogues import languages

_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")

# What people call the time where they are, and a place that has it: the abbreviations are in no timezone database,
# or as an offset that holds for half the year.
_ABBREVIATIONS = {
    "CEST": "Europe/Berlin",
    "MESZ": "Europe/Berlin",
    "MEZ": "Europe/Berlin",
    "BST": "Europe/London",
    "WEST": "Europe/Lisbon",
    "EEST": "Europe/Athens",
    "MSK": "Europe/Moscow",
    "IST": "Asia/Kolkata",
    "EDT": "America/New_York",
    "ET": "America/New_York",
    "CDT": "America/Chicago",
    "CT": "America/Chicago",
    "MDT": "America/Denver",
    "MT": "America/Denver",
    "PST": "America/Los_Angeles",
    "PT": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "CST": "America/Chicago",
    "AKDT": "America/Anchorage",
    "BRT": "America/Sao_Paulo",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "SGT": "Asia/Singapore",
    "HKT": "Asia/Hong_Kong",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
    "NZST": "Pacific/Auckland",
    "NZDT": "Pacific/Auckland",
}


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `: did you mean 'x'?` with the nearest known word, or what is known where none is near."""
    words = [str(word) for word in known]
    if near := get_close_matches(word, words, n=1):
        return f": did you mean {near[0]!r}?"
    return f": choose from {', '.join(words)}" if words else ""


def read_line(text: str) -> str:
    """Read what goes into one line of a mail: something, and no control characters."""
    if not text.strip():
        raise ValueError("must not be empty")
    if not text.isprintable() and CONTROLS.search(text):
        raise ValueError("must be one line, without control characters")
    return text.strip()


def read_subject(text: str) -> str:
    """Read the pattern of a subject such as `{title}: {lead}`."""
    return read_pattern(read_line(text))


def read_hour(text: str) -> time:
    """Read a wall-clock time such as `08:00`."""
    found = _HOUR.fullmatch(text)
    if not found:
        raise ValueError(f'{text!r} is not a time of day: write it like "08:00"')
    return time(int(found[1]), int(found[2]))


def read_hours(text: str) -> Hours:
    """Read two wall-clock times such as `07:00-21:00`, the second of which may be on the next day."""
    since, dash, until = (part.strip() for part in text.partition("-"))
    if not dash:
        raise ValueError(f'{text!r} are no hours: write them like "07:00-21:00"')
    hours = Hours(read_hour(since), read_hour(until))
    if hours.since == hours.until:
        raise ValueError(f"{text!r} begin when they end: leave the key out if mail may leave at any time")
    return hours


def read_span(text: str) -> timedelta:
    """Read a number of hours or days, such as `36h` or `2d`."""
    span = read_duration(text) if text.endswith(("h", "d")) else None
    if span is None:
        raise ValueError(f'{text!r} is not a span of time: write it like "36h" or "2d"')
    return span


@cache
def _timezones() -> frozenset[str]:
    """Return the names of the timezone database, without those that stand for no place and no offset."""
    return frozenset(available_timezones() - {"Factory", "localtime"})


def read_timezone(text: str) -> str:
    """Read an IANA timezone name."""
    if text in _timezones():
        return text
    near = _near_timezone(text)
    hint = f": did you mean {near!r}?" if near else ': write a name such as "Europe/London"'
    raise ValueError(f"unknown timezone {text!r}{hint}")


def _near_timezone(text: str) -> str:
    """Return the timezone that somebody may have meant, by the name of a place in it, or nothing."""
    if place := _ABBREVIATIONS.get(text.strip().upper()):
        return place
    wanted = text.strip().replace(" ", "_").casefold()
    for name in sorted(_timezones()):
        if wanted and wanted in {name.casefold(), name.rpartition("/")[2].casefold()}:
            return name
    # Clocks of fixed offsets, such as EST, look like many things and have no summer time.
    names = [name for name in sorted(_timezones()) if "/" in name and not name.startswith("Etc/")]
    return next(iter(get_close_matches(text, names, n=1)), "")


def read_cadence(text: str) -> Cadence:
    """Read how often."""
    try:
        return Cadence(text)
    except ValueError:
        raise ValueError(f"unknown cadence {text!r}{did_you_mean(text, Cadence)}") from None


def read_topics_mode(text: str) -> TopicsMode:
    """Read what a reader with topics gets."""
    try:
        return TopicsMode(text)
    except ValueError:
        raise ValueError(f"unknown mode {text!r}{did_you_mean(text, TopicsMode)}") from None


def read_text_kind(text: str) -> TextKind:
    """Read what of a paper a reader wants to read."""
    try:
        return TextKind(text)
    except ValueError:
        raise ValueError(f"unknown text {text!r}{did_you_mean(text, TextKind)}") from None


def read_landing(text: str) -> Landing:
    """Read which page the titles of papers lead to."""
    try:
        return Landing(text)
    except ValueError:
        raise ValueError(f"unknown landing page {text!r}{did_you_mean(text, Landing)}") from None


def read_quiet_days(text: str) -> QuietDays:
    """Read what happens on a day without news."""
    try:
        return QuietDays(text)
    except ValueError:
        raise ValueError(f"unknown way {text!r}{did_you_mean(text, QuietDays)}") from None


def read_weekday(text: str) -> int:
    """Read a weekday's short name; Monday is 0."""
    if text not in WEEKDAYS:
        raise ValueError(f"unknown day {text!r}{did_you_mean(text.lower()[:3], WEEKDAYS)}")
    return WEEKDAYS.index(text)


def read_days(names: Iterable[str], offered: Collection[int]) -> tuple[int, ...]:
    """Read the weekdays on which a reader wants issues, each once; `offered` are those of the list."""
    days = sorted({read_weekday(name) for name in names})
    if not days or (offered and not set(days).intersection(offered)):
        ours = ", ".join(WEEKDAYS[day] for day in sorted(offered))
        raise ValueError(f"name at least one of the list's days: {ours}")
    return tuple(days)


def read_colour(text: str) -> str:
    """Read a colour in the one form that all mail programs know."""
    if not _COLOUR.fullmatch(text):
        raise ValueError(f'{text!r} is not a colour: write six hex digits, such as "#1a6b4f"')
    return text.lower()


def read_language(text: str) -> str:
    """Read a language tag (BCP 47), as the mail's `lang` attribute takes it."""
    if not _LANGUAGE.fullmatch(text):
        raise ValueError(f'{text!r} is not a language tag: write one such as "en" or "pt-BR"')
    return text


def read_own_language(text: str) -> str:
    """Read the language of one reader as the tag of a catalogue: there must be words for it."""
    if found := matching(read_language(text), languages()):
        return found
    raise ValueError(f"there are no words in {text!r}: choose from {', '.join(languages())}")


def read_topic(text: str, known: Collection[str]) -> str:
    """Read the name of one of the list's topics."""
    if text in known:
        return text
    hint = did_you_mean(text, sorted(known)) or f": this list has no topics, add a table [topics.{text}]"
    raise ValueError(f"unknown topic {text!r}{hint}")
