"""What a request to the API may say: each parameter with its words, its schema, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from newsletter.core.days import read_day
from newsletter.core.full_text import LONGEST_QUERY

MOST = 100  # objects in an answer
_USUAL = 50
_LONGEST_PATH = 1000
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as it stands in the query, or in the path in braces.
        words: what it means.
        schema: the JSON Schema of its value.
        read: returns its value; raises ValueError with words that say what to write.
        example: a value.
        default: what it is where the query does not say it.
        in_path: whether it stands in the path; else in the query.
        is_required: whether the query must say it.
    """

    name: str
    words: str
    schema: Mapping[str, Any]
    read: Callable[[str], Any]
    example: str
    default: Any = None
    in_path: bool = False
    is_required: bool = False


class ParameterError(Exception):
    """A request says something that cannot be read; one line."""


def read_query(known: Collection[Parameter], said: Collection[tuple[str, str]]) -> dict[str, Any]:
    """Return the values of all parameters of a query.

    Raises:
        ParameterError: one is unknown, said twice, missing or wrong.
    """
    by_name = {one.name: one for one in known if not one.in_path}
    values = {name: one.default for name, one in by_name.items()}
    seen: set[str] = set()
    for name, text in said:
        if name not in by_name:
            names = ", ".join(by_name) or "none"
            raise ParameterError(f"{name[:40]!r} is no parameter of this address; there are: {names}")
        if name in seen:
            raise ParameterError(f"{name}: is said twice")
        seen.add(name)
        try:
            values[name] = by_name[name].read(text)
        except ValueError as error:
            raise ParameterError(f"{name}: {error}") from None
    for name, one in by_name.items():
        if one.is_required and name not in seen:
            raise ParameterError(f"{name}: is missing")
    return values


def _day(text: str) -> date:
    return read_day(text[:20])


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if _NUMBER.fullmatch(text) and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"write a whole number from {least} to {most}")

    return read


def _text(most: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not text.strip():
            raise ValueError("is empty")
        if len(text) > most:
            raise ValueError(f"write {most} characters at most")
        if not text.isprintable():  # PostgreSQL takes no NUL and no half of a surrogate pair
            raise ValueError("holds a character that cannot be printed")
        return text

    return read


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


_LAST = 10**18 - 1
_DEEPEST = 10_000
_DATE = {"type": "string", "format": "date"}

LIST = Parameter(
    name="list",
    words="The list's name.",
    schema={"type": "string"},
    read=_text(200),
    example="daily",
    in_path=True,
)
DAY = Parameter(name="day", words="The issue's day.", schema=_DATE, read=_day, example="2026-03-12", in_path=True)
PAPER = Parameter(
    name="paper",
    words="What the paper is or was known by: an arXiv id, or `doi:…` and the like.",
    schema={"type": "string"},
    read=_text(_LONGEST_PATH),
    example="2603.00001",
    in_path=True,
)
LIMIT = Parameter(
    name="limit",
    words="How many at most.",
    schema={**_whole(1, MOST), "default": _USUAL},
    read=_number(1, MOST),
    example="20",
    default=_USUAL,
)
BEFORE_DAY = Parameter(
    name="before", words="Only issues of earlier days.", schema=_DATE, read=_day, example="2026-03-12"
)
OF_DAY = Parameter(
    name="day",
    words="Only what the list's sources showed for this day, in the order in which it became known; all of it.",
    schema=_DATE,
    read=_day,
    example="2026-03-12",
)
BEFORE = Parameter(
    name="before",
    words="Where a page ends and the next begins; take it from `next`.",
    schema=_whole(1, _LAST),
    read=_number(1, _LAST),
    example="812",
)
OFFSET = Parameter(
    name="offset",
    words="How many to leave out, from the best.",
    schema={**_whole(0, _DEEPEST), "default": 0},
    read=_number(0, _DEEPEST),
    example="50",
    default=0,
)
SEARCHED = Parameter(
    name="q",
    words="Words, or phrases in quotation marks; each must be found.",
    schema={"type": "string", "maxLength": LONGEST_QUERY},
    read=_text(LONGEST_QUERY),
    example='sparse "world model"',
    is_required=True,
)
OF_LIST = Parameter(
    name="list",
    words="Only papers of this list's sources.",
    schema={"type": "string"},
    read=_text(200),
    example="daily",
)
