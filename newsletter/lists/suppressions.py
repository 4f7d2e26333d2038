"""Suppressions as CSV: written so that no spreadsheet takes a cell for a formula, read with mistakes by line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from newsletter.core.csv_cells import masked, unmasked
from newsletter.core.errors import ListFileError, Mistake
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import shown
from newsletter.lists.lines import Lines
from newsletter.lists.spreadsheet import Spreadsheet
from newsletter.lists.values import read_line
from newsletter.ports import Suppression

COLUMNS = ("address", "list", "reason", "since")
_SYNONYMS = {"email": "address"}  # as most other programs write it

_LIST_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MOST_MISTAKES = 1000


def write_suppressions(suppressions: Iterable[Suppression], file: TextIO) -> None:
    """Write suppressions as CSV; an empty `list` stands for all lists."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for suppression in suppressions:
        cells = (suppression.address, suppression.list or "", suppression.reason, suppression.since.isoformat())
        writer.writerow([masked(cell) for cell in cells])


def read_suppressions(path: Path, *, list_name: str | None, reason: str, now: datetime) -> list[Suppression]:
    """Read a CSV file of suppressions: a header row, then one a row; of the columns only `address` must be there.

    Args:
        path: the file.
        list_name: the list of rows that name none; None: all lists.
        reason: that of rows that give none.
        now: since when those are suppressed that don't say it.

    Raises:
        ListFileError: with all mistakes by line.
    """
    reader = _Reader(path, list_name, reason, now)
    found = list(reader.read(Lines(path)))
    if reader.mistakes:
        raise ListFileError(tuple(reader.mistakes[:_MOST_MISTAKES]))
    return found


@dataclass(slots=True)
class _Reader:
    """Reads one file; what is wrong becomes a mistake, and the rest is read on."""

    path: Path
    list_name: str | None
    reason: str
    now: datetime
    addresses: Addresses = field(default_factory=Addresses)
    mistakes: list[Mistake] = field(default_factory=list)

    def read(self, lines: Iterable[str]) -> Iterator[Suppression]:
        """Yield each suppression; `mistakes` is complete when this ends."""
        rows = Spreadsheet(COLUMNS, needed="address", note=self._note, synonyms=_SYNONYMS)
        for line, cells in rows.read(lines):
            try:
                yield self._suppression({column: unmasked(cell) for column, cell in cells})
            except ValueError as error:
                self._note(line, str(error))

    def _note(self, line: int, message: str) -> None:
        self.mistakes.append(Mistake(shown(self.path), line, message))

    def _suppression(self, cells: Mapping[str, str]) -> Suppression:
        name, since, reason = (cells.get(column, "").strip() for column in ("list", "since", "reason"))
        if name and not _LIST_NAME.fullmatch(name):
            raise ValueError(
                f"list: {name!r} is no name of a list: small letters, digits, - and _, or empty for all"
            )
        return Suppression(
            address=self.addresses.read(cells["address"].strip()),
            list=name or self.list_name,
            reason=read_line(reason) if reason else self.reason,
            since=_moment(since) if since else self.now,
        )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"since: {text!r} is no date: write it as 2026-03-12 or 2026-03-12T08:00:00+00:00"
        ) from None
