"""CSV as spreadsheets save it: commas, semicolons or tabs, a header in any letter case, empty rows and columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest

from newsletter.lists.lines import LONGEST_ROW
from newsletter.lists.values import did_you_mean

_SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}
_SAID = re.compile(r'"?sep=([,;\t])"?')
_MOST_NAMES, _LONGEST_NAME = 40, 40  # of columns in a message, and the characters of each
_HEAD = 1000  # lines, in which the header is looked for
_NO_LETTER = re.compile(r"[\s_-]+")


def letters(name: str) -> str:
    """Return a column's name without what people write differently: `E-Mail`, `Topics mode`."""
    return _NO_LETTER.sub("", name).casefold()


class Spreadsheet:
    """The rows of one file, below a header that names the columns.

    Args:
        columns: the names of all columns that there may be, in their usual order.
        needed: the one that must be there.
        note: is handed each mistake, with its line.
        synonyms: other names of columns, and what they stand for.
        repeats: whether a column may be there twice.
        unknown: whether there may be columns that are not known; they are passed over by who reads the rows.
    """

    def __init__(
        self,
        columns: Collection[str],
        *,
        needed: str,
        note: Callable[[int, str], None],
        synonyms: Mapping[str, str] | None = None,
        repeats: bool = False,
        unknown: bool = False,
    ) -> None:
        self._columns = columns
        self._needed = needed
        self._note = note
        self._may_repeat, self._may_be_unknown = repeats, unknown
        self._known = {letters(name): name for name in columns}
        self._known |= {letters(other): name for other, name in (synonyms or {}).items()}

    def read(self, lines: Iterable[str]) -> Iterator[tuple[int, Iterable[tuple[str, str]]]]:
        """Yield each row in which there is anything: the line that it begins on, and its cells with their columns.

        Columns that are not known are among them, and have been noted. All mistakes are, when this ends.

        Args:
            lines: of the text, with their line ends.
        """
        lines = iter(lines)
        head = _head(lines)
        separator, begins = self._separator(head)
        rows = self._rows(chain(head, lines), separator, begins)
        line, header = next(rows, (1, []))
        columns = [self._known.get(letters(name), name.strip()) for name in header]
        self._check_header(columns, line)
        if self._needed not in columns:
            return
        count = len(columns) if all(columns) else -1
        for line, row in rows:
            if len(row) != count and (problem := _misfit(row, columns, separator)):
                self._note(line, problem)
            else:
                yield line, zip(columns, row, strict=False)

    def _separator(self, head: Sequence[str]) -> tuple[str, int]:
        """Return what separates the cells, and how many lines stand before the header.

        Spreadsheets write commas, semicolons where the comma is for decimals, or tabs. That one is meant with
        which the header has most of the known columns. Excel takes it from a first line such as `sep=;`, too.
        """
        if head and (said := _SAID.fullmatch(head[0].strip())):
            return said[1], 1
        known = {separator: self._known_columns(head, separator) for separator in _SEPARATORS}
        return max(_SEPARATORS, key=lambda separator: known[separator]), 0

    def _known_columns(self, head: Sequence[str], separator: str) -> int:
        reader = csv.reader(head, delimiter=separator)
        try:
            header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        except csv.Error:
            return 0
        return sum(letters(name) in self._known for name in header)

    def _rows(self, lines: Iterable[str], separator: str, begins: int) -> Iterator[tuple[int, list[str]]]:
        bounded = _Bounded(lines)
        reader = csv.reader(bounded, delimiter=separator, strict=True)
        line = 1
        try:
            for row in reader:
                bounded.length = 0
                if line > begins and row and (row[0].strip() or any(map(str.strip, row))):
                    yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            self._note(line, f"is not valid CSV from here on: {error}")

    def _check_header(self, columns: list[str], line: int) -> None:
        names = ",".join(self._columns)
        named = [column for column in columns if column]  # spreadsheets leave some, whose cells must be empty
        if self._needed not in named:
            found = f", but {_shown(named)}" if named else ""
            self._note(line, f"has no column {self._needed!r}{found}: begin with a header row such as {names}")
            return
        for position, column in enumerate(named):
            if column in named[:position] and not self._may_repeat:
                self._note(line, f"column {column[:_LONGEST_NAME]!r} is there twice: remove one")
        unknown = list(dict.fromkeys(column for column in named if column not in self._columns))
        if self._may_be_unknown:
            return
        if len(unknown) == 1:
            [column] = unknown
            meant = did_you_mean(column.lower(), self._columns)
            self._note(line, f"unknown column {column[:_LONGEST_NAME]!r}{meant}")
        elif unknown:
            self._note(line, f"unknown columns {_shown(unknown)}: remove them, or name them as one of {names}")


class _Bounded:
    """Lines, of which one row takes no more than `LONGEST_ROW` characters; `length` is set to 0 at its end."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.length = 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines.

        Raises:
            csv.Error: a row is too long.
        """
        for line in self._lines:
            self.length += len(line)
            if self.length > LONGEST_ROW:
                raise csv.Error(f"a row is longer than {LONGEST_ROW:,} characters")
            yield line


def _shown(columns: Sequence[str]) -> str:
    """Return the names of columns for a message of one line."""
    more = f" and {len(columns) - _MOST_NAMES} more" if len(columns) > _MOST_NAMES else ""
    return ", ".join(repr(column[:_LONGEST_NAME]) for column in columns[:_MOST_NAMES]) + more


def _head(lines: Iterator[str]) -> list[str]:
    """Return the first lines, among which the header is; they are gone from `lines` then."""
    head: list[str] = []
    length = 0
    for line in lines:
        head.append(line)
        length += len(line)
        if len(head) >= _HEAD or length > LONGEST_ROW:
            break
    return head


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
