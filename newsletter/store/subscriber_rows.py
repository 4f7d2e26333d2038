"""Subscribers as rows: the one list of their columns, from which queries and statements are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from newsletter.core.follows import Follow, read_follow
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus
from newsletter.core.topics import TopicsMode
from newsletter.store.column_types import as_text
from newsletter.store.tables import subscribers


class _Kept(NamedTuple):
    """How a field of a subscriber is kept as text, and read from it; None stays None."""

    written: Callable[[Any], str]
    read: Callable[[Any], Any]


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Return the words of a JSON array; readers have the same few topics again and again."""
    return tuple(json.loads(text))


@lru_cache(maxsize=4096)
def _follows(text: str) -> tuple[Follow, ...]:
    return tuple(map(read_follow, json.loads(text)))


@lru_cache(maxsize=1024)
def _hour(text: str | None) -> time | None:
    return time.fromisoformat(text) if text else None


def _one_of(kind: type[StrEnum]) -> _Kept:
    """Return how a member of an enumeration is kept; a dictionary finds it five times as fast as the Enum does."""
    members: dict[str | None, StrEnum | None] = {None: None, **{member.value: member for member in kind}}
    return _Kept(str, members.__getitem__)


# The columns that hold a subscriber's fields, by the same names, in the order of all rows; those of None are text
# already. A new field is added here, to `newsletter.core.subscriber` and to the table.
_FIELDS: Mapping[str, _Kept | None] = {
    "list": None,
    "email": None,
    "name": None,
    "topics": _Kept(lambda words: json.dumps(words, ensure_ascii=False), _words),
    "follows": _Kept(lambda follows: json.dumps([str(one) for one in follows], ensure_ascii=False), _follows),
    "cadence": _one_of(Cadence),
    "hour": _Kept(time.isoformat, _hour),
    "timezone": None,
    "topics_mode": _one_of(TopicsMode),
    "interest": None,
    "status": _one_of(SubscriberStatus),
    "origin": _one_of(Origin),
}
FIELDS = tuple(_FIELDS)
_READ = tuple((name, kept.read) for name, kept in _FIELDS.items() if kept)
_WRITTEN = tuple((name, kept.written if kept else str) for name, kept in _FIELDS.items())

# For SELECT: as the text that they hold, for they are read by the million.
COLUMNS = tuple(as_text(subscribers.c[name]) for name in FIELDS)


def subscriber_of(row: Sequence[Any]) -> Subscriber:
    """Return the subscriber of a row of `FIELDS`."""
    values = dict(zip(FIELDS, row, strict=True))
    for name, read in _READ:
        values[name] = read(values[name])
    return Subscriber(**values)


def row_of(subscriber: Subscriber, now: datetime) -> tuple[Any, ...]:
    """Return a subscriber's row for `statements.PUT_SUBSCRIBERS`: `FIELDS`, the key of the address, `now`."""
    values = ((getattr(subscriber, name), written) for name, written in _WRITTEN)
    texts = (None if value is None else written(value) for value, written in values)
    return (*texts, subscriber.address_key, now)
