"""Reads the CSV file of a long list: a header row with the fields of a subscriber, then one subscriber a row."""

from __future__ import annotations

import csv
import io
import re
from functools import cache, partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from newsletter.core.errors import Mistake
from newsletter.core.subscriber import Subscriber
from newsletter.lists.document import read_text, shown
from newsletter.lists.values import (
    did_you_mean,
    read_cadence,
    read_hour,
    read_line,
    read_timezone,
    read_topic,
    read_topics_mode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

    from newsletter.lists.addresses import Addresses


_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_SAID = re.compile(r'"?sep=([,;\t])"?')
_NO_LETTER = re.compile(r"[\s_-]+")


def _letters(name: str) -> str:
    """Return a column's name without what people write differently: `E-Mail`, `Topics mode`."""
    return _NO_LETTER.sub("", name).casefold()


def _misfit(row: list[str], columns: list[str], separator: str) -> str:
    """Return why a row does not fit its header, or nothing. Cells that would be empty may lack, or be there."""
    unnamed = [cell for cell, name in zip_longest(row, columns, fillvalue="") if not name and cell.strip()]
    if (len(row) < len(columns) and any(columns[len(row) :])) or (unnamed and len(row) > len(columns)):
        wrong = f"has {len(row)} values for {len(columns)} columns"
    elif unnamed:
        return f"has {unnamed[0][:40]!r} in a column without a name: give the column one, or empty it"
    else:
        return ""
    names = separator.join(filter(None, columns)).replace("\t", "<tab>")
    return f"{wrong}: write {names}, a value with {_SEPARATORS[separator]} in quotes"


def members_path(folder: Path, name: str) -> Path:
    """Return the path of a members file, which stands in the list file's folder or below.

    Raises:
        ValueError: it lies elsewhere, or is not there.
    """
    path = folder / read_line(name)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{name!r} lies outside the list file's folder: move it in there")
    if not path.is_file():
        raise ValueError(f"there is no file {shown(path)}: create it, or remove this key")
    return path


def _read_topics(text: str, *, known: Collection[str]) -> tuple[str, ...]:
    names = filter(None, (name.strip() for name in text.split(";")))
    return tuple(dict.fromkeys(read_topic(name, known) for name in names))


class MembersFile:
    """Reads one members file; what is wrong becomes a mistake, and the rest is read on.

    A list may have hundreds of thousands of members, so there is no model per row: each column has its reader.
    """

    def __init__(self, path: Path, list_name: str, topics: Collection[str], addresses: Addresses) -> None:
        self._path = path
        self._list = list_name
        self._readers: dict[str, Callable[[str], Any]] = {
            "email": addresses.read,
            "name": read_line,
            # These repeat from row to row: each text is read once.
            "topics": cache(partial(_read_topics, known=topics)),
            "cadence": cache(read_cadence),
            "hour": cache(read_hour),
            "timezone": cache(read_timezone),
            "topics_mode": cache(read_topics_mode),
            "interest": read_line,
        }
        self._known = {_letters(name): name for name in self._readers}
        self.mistakes: list[Mistake] = []

    def note(self, line: int, message: str) -> None:
        """Add a mistake."""
        self.mistakes.append(Mistake(shown(self._path), line, message))

    def read(self) -> Iterator[tuple[int, Subscriber]]:
        """Yield each subscriber with the line of its row; `mistakes` is complete when this ends.

        Raises:
            ListFileError: the file cannot be read at all.
        """
        text = read_text(self._path)
        separator, begins = self._separator(text)
        rows = self._rows(text, separator, begins)
        line, header = next(rows, (1, []))
        columns = [self._known.get(_letters(name), name.strip()) for name in header]
        self._check_header(columns, line)
        if "email" not in columns:
            return
        all_named = all(columns)
        for line, row in rows:
            fits = all_named and len(row) == len(columns)
            if not fits and (problem := _misfit(row, columns, separator)):
                self.note(line, problem)
            elif subscriber := self._subscriber(zip(columns, row, strict=False), line):
                yield line, subscriber

    def _separator(self, text: str) -> tuple[str, int]:
        """Return what separates the cells, and how many lines stand before the header.

        Spreadsheets write commas, semicolons where the comma is for decimals, or tabs. That one is meant with
        which the header has most of the known columns. Excel takes it from a first line such as `sep=;`, too.
        """
        first = text.partition("\n")[0]
        if said := _SAID.fullmatch(first.strip()):
            return said[1], 1
        known = {separator: self._known_columns(text, separator) for separator in _SEPARATORS}
        return max(_SEPARATORS, key=lambda separator: known[separator]), 0

    def _known_columns(self, text: str, separator: str) -> int:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        try:
            header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        except csv.Error:
            return 0
        return sum(_letters(name) in self._known for name in header)

    def _rows(self, text: str, separator: str, begins: int) -> Iterator[tuple[int, list[str]]]:
        """Yield each row in which there is anything with the line that it begins on."""
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        line = 1
        try:
            for row in reader:
                if line > begins and any(map(str.strip, row)):
                    yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            self.note(line, f"is not valid CSV from here on: {error}")

    def _check_header(self, columns: list[str], line: int) -> None:
        for position, column in enumerate(columns):
            if not column:
                continue  # a column without a name, which spreadsheets leave behind; its cells must be empty
            if column in columns[:position]:
                self.note(line, f"column {column!r} is there twice: remove one")
            elif column not in self._readers:
                self.note(line, f"unknown column {column!r}{did_you_mean(column.lower(), self._readers)}")
        if "email" not in columns:
            names = ",".join(self._readers)
            self.note(line, f"has no column 'email': begin with a header row such as {names}")

    def _subscriber(self, cells: Iterable[tuple[str, str]], line: int) -> Subscriber | None:
        """Return a row's subscriber, or None if it has no valid address; wrong values are noted and left out."""
        values: dict[str, Any] = {}
        for column, cell in cells:
            text = cell.strip()
            if column == "email" and not text:
                self.note(line, "email: has no address: add it, or remove the row")
            elif text and column in self._readers:
                try:
                    values[column] = self._readers[column](text)
                except ValueError as error:
                    self.note(line, f"{column}: {error}")
        return Subscriber(list=self._list, **values) if "email" in values else None
