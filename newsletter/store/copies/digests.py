"""Rows as both engines have them alike, and a digest of a table's rows.

A row is a tuple of what SQLite keeps: text, whole numbers, bytes and nothing; a moment is text in UTC, a day is
text, and yes is 1. Digests of rows are added up, so that a table has the same one in whatever order it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from newsletter.store.column_types import Moment, moment_text, read_moment

Row = tuple[Any, ...]

_BYTES = 16
_SIZE = 1 << (8 * _BYTES)
_MOMENT_LENGTH = len("2026-03-12 08:30:00.000000+00:00")
_UTC = "+00:00"

_encode = json.JSONEncoder(separators=(",", ":"), default=bytes.hex).encode


def alike(table: sa.Table, *, is_postgresql: bool) -> Callable[[Iterable[Sequence[Any]]], list[Row]]:
    """Return what turns rows of a table, as an engine's driver gives them, into rows that are alike on both."""
    readers = {
        place: reader
        for place, column in enumerate(table.columns)
        if (reader := _reader(column, is_postgresql=is_postgresql)) is not None
    }

    def read(rows: Iterable[Sequence[Any]]) -> list[Row]:
        found = []
        for row in rows:
            values = list(row)
            for place, reader in readers.items():
                if (value := values[place]) is not None:
                    values[place] = reader(value)
            found.append(tuple(values))
        return found

    return read


def _reader(column: sa.Column[Any], *, is_postgresql: bool) -> Callable[[Any], Any] | None:
    """Return what turns a column's values that are there into what both engines have; None: they are that."""
    match column.type:
        case Moment():
            return _moment
        case sa.Date():
            return _day if is_postgresql else None
        case sa.Boolean():
            return int
        case _:
            return None


def _moment(value: str | datetime) -> str:
    if isinstance(value, datetime):
        return moment_text(value)
    if len(value) == _MOMENT_LENGTH and value.endswith(_UTC):
        return value
    return moment_text(read_moment(value))


def _day(value: date) -> str:
    return value.isoformat()


class Digest:
    """The digest of rows that are alike on both engines, and how many they are."""

    def __init__(self, text: str = "", count: int = 0) -> None:
        """Begin, or go on from the text of another one."""
        self._sum = int(text, 16) if text else 0
        self.count = count

    def add(self, rows: Sequence[Row]) -> None:
        """Take in rows, each of them once."""
        hashes = (blake2b(_encode(row).encode(), digest_size=_BYTES).digest() for row in rows)
        self._sum = (self._sum + sum(map(_number, hashes))) % _SIZE
        self.count += len(rows)

    @property
    def text(self) -> str:
        """What it comes to."""
        return f"{self._sum:0{2 * _BYTES}x}"


def _number(digest: bytes) -> int:
    return int.from_bytes(digest, "big")
