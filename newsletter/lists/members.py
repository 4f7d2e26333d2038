"""Reads the CSV file of a long list: a header row with the fields of a member, then one member a row."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from newsletter.core.errors import Mistake
from newsletter.core.follows import Follow, read_follow
from newsletter.core.subscriber import Member
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import file_below, shown
from newsletter.lists.examples import ExampleFiles
from newsletter.lists.spreadsheet import Spreadsheet
from newsletter.lists.values import (
    read_cadence,
    read_days,
    read_hour,
    read_line,
    read_own_language,
    read_text_kind,
    read_timezone,
    read_topic,
    read_topics_mode,
)

_TEXTS = 4096  # of a column that are remembered
_SYNONYMS = {"email address": "email"}  # as Mailchimp and Google Contacts write it
_NOTHING = list(Member(""))  # the values of a row with empty cells


def members_path(folder: Path, name: str) -> Path:
    """Return the path of a members file, which stands in the list file's folder or below.

    Raises:
        ValueError: it lies elsewhere, or is not there.
    """
    return file_below(folder, read_line(name))


def _read_topics(text: str, *, known: Collection[str]) -> tuple[str, ...]:
    names = filter(None, (name.strip() for name in text.split(";")))
    return tuple(dict.fromkeys(read_topic(name, known) for name in names))


def _read_follows(text: str) -> tuple[Follow, ...]:
    return tuple(dict.fromkeys(read_follow(one.strip()) for one in text.split(";") if one.strip()))


def read_days_cell(text: str, *, offered: Collection[int]) -> tuple[int, ...]:
    """Read weekdays from a cell such as `mon;thu`; see `read_days`."""
    return read_days(re.findall(r"[^;,\s]+", text.lower()), offered)


MOST_MISTAKES = 1000  # of one file that are named


class TooManyMistakesError(Exception):
    """A file holds more mistakes than are named."""


class MembersFile:
    """Reads one members file; what is wrong becomes a mistake, and the rest is read on.

    A list may have a million members, so there is no model per row: each column has its reader.
    """

    def __init__(self, path: Path, topics: Collection[str], days: Collection[int], examples: ExampleFiles) -> None:
        """Begin.

        Args:
            path: the file.
            topics: those of the list, which members may choose.
            days: on which the list comes out.
            examples: reads what members give as examples.
        """
        self._path = path
        self._readers: dict[str, Callable[[str], Any]] = {
            "email": Addresses().read,
            "name": read_line,
            # These repeat from row to row: each text is read once.
            "topics": lru_cache(_TEXTS)(partial(_read_topics, known=topics)),
            "follows": lru_cache(_TEXTS)(_read_follows),
            "cadence": lru_cache(_TEXTS)(read_cadence),
            "hour": lru_cache(_TEXTS)(read_hour),
            "timezone": lru_cache(_TEXTS)(read_timezone),
            "topics_mode": lru_cache(_TEXTS)(read_topics_mode),
            "interest": read_line,
            "text": read_text_kind,
            "days": lru_cache(_TEXTS)(partial(read_days_cell, offered=days)),
            "language": lru_cache(_TEXTS)(read_own_language),
            "examples": lambda text: examples.read(one.strip() for one in text.split(";") if one.strip()),
        }
        self.mistakes: list[Mistake] = []

    def note(self, line: int, message: str) -> None:
        """Add a mistake.

        Raises:
            TooManyMistakesError: there were `MOST_MISTAKES` already; the last one says that there are more.
        """
        if len(self.mistakes) >= MOST_MISTAKES:
            message = f"more than {MOST_MISTAKES:,} mistakes: those from here on are not named"
            self.mistakes.append(Mistake(shown(self._path), line, message))
            raise TooManyMistakesError
        self.mistakes.append(Mistake(shown(self._path), line, message))

    def read(self, lines: Iterable[str]) -> Iterator[tuple[int, Member]]:
        """Yield each member with the line of its row; `mistakes` is complete when this ends.

        Args:
            lines: of the file.

        Raises:
            TooManyMistakesError: the rest is not read.
        """
        rows = Spreadsheet(self._readers, needed="email", note=self.note, synonyms=_SYNONYMS)
        readers = {name: (place, self._readers[name]) for place, name in enumerate(Member._fields)}
        for line, cells in rows.read(lines):
            values = _NOTHING.copy()
            for column, cell in cells:
                if (text := cell.strip()) and column in readers:
                    place, read = readers[column]
                    try:
                        values[place] = read(text)
                    except ValueError as error:
                        self.note(line, f"{column}: {error}")
                elif column == "email":
                    self.note(line, "email: has no address: add it, or remove the row")
            if values[0]:
                yield line, Member._make(values)


def addresses_in(lines: Iterable[str]) -> Iterator[str]:
    """Yield the addresses of a members file as they stand there, and look at nothing else of it."""
    rows = Spreadsheet(Member._fields, needed="email", note=lambda *_: None, synonyms=_SYNONYMS)
    for _, cells in rows.read(lines):
        for column, cell in cells:
            if column == "email":
                yield cell.strip()
                break


class Repeats:
    """Finds addresses that a long list may name twice, with eight bytes an address."""

    def __init__(self) -> None:
        self._hashes = tuple(array("q") for _ in range(256))
        self._add = tuple(some.append for some in self._hashes)

    def add(self, address_key: str) -> None:
        """Count an address."""
        number = hash(address_key)
        self._add[number & 255](number)

    def found(self) -> set[int]:
        """Return the hashes that came more than once: of addresses that were named twice, or that collide."""
        twice: set[int] = set()
        for some in self._hashes:
            if len(set(some)) < len(some):
                twice.update(number for number, times in Counter(some).items() if times > 1)
        return twice
