"""The addresses of a list's pages. Pure.

daily/                          its front page
daily/2026-03-12/               a day, and the issue of that day; daily/2026-03-12/2/ goes on where it is long
daily.weekly/2026-03-13/        an issue of its weekly edition
daily/week/                     the newest week; daily/week/2026-W11/ and daily/week/2026-W11/2/ any
daily/archive/                  the newest year; daily/archive/2025/ any
daily/topics/                   its topics
daily/topics/agents/            the newest papers on a topic; daily/topics/agents/2026-03/ those of a month
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

from newsletter.core.days import read_day
from newsletter.core.newsletter_list import WEEKLY_EDITION
from newsletter.core.page_names import in_path

_FIRST_YEAR, _LAST_YEAR = 1970, 2199
_NUMBER = r"(?:(?P<number>[2-9]|[1-9]\d{1,3})/)?"
_PLACES = re.compile(
    rf"""
    (?P<front>)
    | (?P<day>\d{{4}}-\d\d-\d\d)/{_NUMBER}
    | week/(?:(?P<year>\d{{4}})-W(?P<week>\d\d)/(?:(?P<week_number>[2-9]|[1-9]\d{{1,3}})/)?)?
    | archive/(?:(?P<archive>\d{{4}})/)?
    | topics/(?:(?P<topic>[A-Za-z0-9.~+_-]{{1,600}})/
        (?:(?P<month>\d{{4}}-\d\d)/)?(?:(?P<month_number>[2-9]|[1-9]\d{{1,3}})/)?)?
    """,
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """The front page of a list."""

    list: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of a list, or of its weekly edition; `number` counts its pages from 1."""

    list: str
    day: date
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """A week of a list, by its Monday; None: the newest."""

    list: str
    monday: date | None = None
    number: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A year of a list; None: the newest."""

    list: str
    year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The topics of a list."""

    list: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicPapers:
    """The papers on a topic, by its name in a path: of a month, by its first day; None: the newest."""

    list: str
    topic: str
    month: date | None = None
    number: int = 1


Paged: TypeAlias = Day | Week | TopicPapers  # what may need several pages
Place: TypeAlias = Front | Archive | Topics | Paged


def read_place(address: str) -> Place | None:
    """Return what an address names; None: nothing. Each place has one address."""
    name, _, rest = address.partition("/")
    found = _PLACES.fullmatch(rest)
    if found is None or not address.endswith("/"):
        return None
    try:
        place = _place(name, rest, found)
    except ValueError:  # no day of the calendar
        return None
    return place if name.removesuffix(WEEKLY_EDITION) == name or isinstance(place, Day | Front) else None


def _place(name: str, rest: str, found: re.Match[str]) -> Place:
    if found["day"]:
        return Day(list=name, day=read_day(found["day"]), number=int(found["number"] or 1))
    if rest.startswith("week/"):
        monday = date.fromisocalendar(_year(found["year"]), int(found["week"]), 1) if found["year"] else None
        return Week(list=name, monday=monday, number=int(found["week_number"] or 1))
    if rest.startswith("archive/"):
        return Archive(list=name, year=_year(found["archive"]) if found["archive"] else None)
    if found["topic"]:
        month = read_day(f"{found['month']}-01") if found["month"] else None
        return TopicPapers(list=name, topic=found["topic"], month=month, number=int(found["month_number"] or 1))
    return Topics(list=name) if rest else Front(list=name)


def _year(text: str) -> int:
    """Return a year of newsletters.

    Raises:
        ValueError: it is none.
    """
    if not _FIRST_YEAR <= int(text) <= _LAST_YEAR:
        raise ValueError(f"{text} is no year of a newsletter")
    return int(text)


def address_of(place: Place) -> str:
    """Return the address of a page, from the site's root."""
    numbered = f"{place.number}/" if isinstance(place, Day | Week | TopicPapers) and place.number > 1 else ""
    match place:
        case Front():
            rest = ""
        case Day():
            rest = f"{place.day.isoformat()}/"
        case Week():
            rest = f"week/{week_name(place.monday)}/" if place.monday else "week/"
        case Archive():
            rest = f"archive/{place.year}/" if place.year else "archive/"
        case Topics():
            rest = "topics/"
        case _:
            rest = f"topics/{place.topic}/" + (f"{place.month:%Y-%m}/" if place.month else "")
    return f"{place.list}/{rest}{numbered}"


def of_topic(list_name: str, topic: str) -> TopicPapers:
    """Return the place of the newest papers on a topic, by its name in the list file."""
    return TopicPapers(list=list_name, topic=in_path(topic))


def following(place: Paged, number: int) -> Paged:
    """Return another page of the same place."""
    return replace(place, number=number)


def monday_of(day: date) -> date:
    """Return the first day of a day's week (ISO 8601)."""
    return day - timedelta(days=day.weekday())


def week_name(monday: date) -> str:
    """Return the name of a week, such as `2026-W11` (ISO 8601)."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"
