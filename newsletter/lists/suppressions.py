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
from newsletter.core.suppression import SuppressedBy
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import shown
from newsletter.lists.lines import Lines
from newsletter.lists.spreadsheet import Spreadsheet
from newsletter.lists.values import read_line
from newsletter.ports import Suppression

COLUMNS = ("address", "list", "reason", "since", "by", "evidence")
_SYNONYMS = {"email": "address"}  # as most other programs write it

_LIST_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_MOST_MISTAKES = 1000


def begin_suppressions(file: TextIO) -> None:
    """Write the header row of suppressions as CSV."""
    csv.writer(file, lineterminator="\n").writerow(COLUMNS)


def write_suppressions(suppressions: Iterable[Suppression], file: TextIO) -> None:
    """Write suppressions as rows of CSV; an empty `list` stands for all lists."""
    writer = csv.writer(file, lineterminator="\n")
    for suppression in suppressions:
        when, by = suppression.since.isoformat(), suppression.by
        cells = (suppression.address, suppression.list or "", suppression.reason, when, by, suppression.evidence)
        writer.writerow([masked(cell) for cell in cells])


def read_suppressions(path: Path, *, list_name: str | None, reason: str, now: datetime) -> Iterator[Suppression]:
    """Read a CSV file of suppressions: a header row, then one a row; of the columns only `address` must be there.

    Those that don't say by whom are by the operator, who reads the file. Their evidence is the line.

    Args:
        path: the file.
        list_name: the list of rows that name none; None: all lists.
        reason: that of rows that give none.
        now: since when those are suppressed that don't say it.

    Yields:
        Each, up to the first mistake.

    Raises:
        ListFileError: with all mistakes by line, at the end.
    """
    reader = _Reader(path, list_name, reason, now)
    for one in reader.read(Lines(path)):
        if not reader.mistakes:
            yield one
    if reader.mistakes:
        raise ListFileError(tuple(reader.mistakes[:_MOST_MISTAKES]))


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
                yield self._suppression(line, {column: unmasked(cell) for column, cell in cells})
            except ValueError as error:
                self._note(line, str(error))

    def _note(self, line: int, message: str) -> None:
        self.mistakes.append(Mistake(shown(self.path), line, message))

    def _suppression(self, line: int, cells: Mapping[str, str]) -> Suppression:
        _, name, reason, since, by, evidence = (cells.get(column, "").strip() for column in COLUMNS)
        if name and not _LIST_NAME.fullmatch(name):
            raise ValueError(
                f"list: {name!r} is no name of a list: small letters, digits, - and _, or empty for all"
            )
        return Suppression(
            address=self.addresses.read_suppressed(cells["address"].strip()),
            list=name or self.list_name,
            reason=read_line(reason) if reason else self.reason,
            since=_moment(since) if since else self.now,
            by=_author(by) if by else SuppressedBy.OPERATOR,
            evidence=(evidence and read_line(evidence)) if evidence or by else f"{self.path.name}, line {line}",
        )


def _author(text: str) -> SuppressedBy:
    try:
        return SuppressedBy(text)
    except ValueError:
        raise ValueError(f"by: {text!r} is not known: write {', '.join(SuppressedBy)}") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"since: {text!r} is no date: write it as 2026-03-12 or 2026-03-12T08:00:00+00:00"
        ) from None
