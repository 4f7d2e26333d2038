"""Subscribers as rows: the one list of their columns, from which queries and statements are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from enum import StrEnum
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json

from newsletter.core.address import address_key
from newsletter.core.choice import TextKind
from newsletter.core.examples import GivenPaper
from newsletter.core.follows import Follow
from newsletter.core.newsletter_list import WEEKDAYS, Cadence
from newsletter.core.subscriber import Member, Origin, Subscriber, SubscriberStatus
from newsletter.core.topics import TopicsMode
from newsletter.store.column_types import as_text
from newsletter.store.tables import subscribers


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Return the words of a JSON array; readers have the same few topics again and again."""
    return tuple(from_json(text))


@lru_cache(maxsize=4096)
def _follows(text: str) -> tuple[Follow, ...]:
    return tuple(map(Follow.written, from_json(text)))


def read_examples(text: str) -> tuple[GivenPaper, ...]:
    """Return the papers of a JSON array that a reader gave as examples; most readers gave none."""
    return () if text == "[]" else tuple(map(GivenPaper._make, from_json(text)))


@lru_cache(maxsize=1024)
def _hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


@lru_cache(maxsize=1024)
def _days(text: str | None) -> tuple[int, ...] | None:
    return tuple(map(WEEKDAYS.index, text.split(","))) if text else None


@lru_cache(maxsize=1024)
def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _one_of(kind: type[StrEnum]) -> Callable[[Any], Any]:
    """Return what reads a member of an enumeration; a dictionary finds it five times as fast as the Enum does."""
    members: dict[str | None, StrEnum | None] = {None: None, **{member.value: member for member in kind}}
    return members.__getitem__


# The columns that hold a subscriber's fields, by the same names, in the order of all rows, and how they are read;
# those of None are text. A new field is added here and to `member_row`, to `newsletter.core.subscriber` and to the
# table.
_FIELDS: Mapping[str, Callable[[Any], Any] | None] = {
    "list": None,
    "email": None,
    "name": None,
    "topics": _words,
    "follows": _follows,
    "cadence": _one_of(Cadence),
    "hour": _hour,
    "timezone": None,
    "topics_mode": _one_of(TopicsMode),
    "interest": None,
    "examples": read_examples,
    "text": _one_of(TextKind),
    "days": _days,
    "language": None,
    "paused_until": _date,
    "status": _one_of(SubscriberStatus),
    "origin": _one_of(Origin),
}
FIELDS = tuple(_FIELDS)
_READ = tuple((name, read) for name, read in _FIELDS.items() if read)

# For SELECT: as the text that they hold, for they are read by the million.
COLUMNS = tuple(as_text(subscribers.c[name]) for name in FIELDS)


def subscriber_of(row: Sequence[Any]) -> Subscriber:
    """Return the subscriber of a row of `FIELDS`."""
    list_, email, name, *rest = row
    return Subscriber(list=list_, email=email, name=name, **_rest(tuple(rest)))


@lru_cache(maxsize=1024)  # many readers wish alike, or nothing
def _rest(values: tuple[Any, ...]) -> dict[str, Any]:
    """Return what a row holds beside list, address and name, by the names of fields."""
    fields = dict(zip(FIELDS[3:], values, strict=True))
    for name, read in _READ:
        fields[name] = read(fields[name])
    return fields


def member_of(row: Sequence[Any]) -> Member:
    """Return the member of a row of its fields, each as the text that its column holds."""
    values = dict(zip(Member._fields, row, strict=True))
    for name, read in _READ:
        if name in values:
            values[name] = read(values[name])
    return Member(**values)


# What is compared when a list is synced: the key of an address, then the fields of a `Member`.
MEMBER_COLUMNS = ("address_key", *Member._fields)


def member_row(member: Member) -> tuple[str | None, ...]:
    """Return a member as text, in the order of `MEMBER_COLUMNS`."""
    email, name, topics, follows, cadence, hour, timezone, mode, interest, examples, text, days, language = member
    return (
        address_key(email),
        email,
        name,
        _array(topics),
        _array(tuple(map(str, follows))) if follows else "[]",
        None if cadence is None else cadence.value,
        None if hour is None else hour.isoformat(),
        timezone,
        None if mode is None else mode.value,
        interest,
        to_json(examples).decode() if examples else "[]",
        text.value,
        None if days is None else _written_days(days),
        language,
    )


@lru_cache(maxsize=128)
def _written_days(days: tuple[int, ...]) -> str:
    return ",".join(WEEKDAYS[day] for day in days)


@lru_cache(maxsize=4096)
def _array(words: tuple[str, ...]) -> str:
    return json.dumps(words, ensure_ascii=False)
