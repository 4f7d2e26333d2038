"""Reads the CSV file of a long list: a header row with the fields of a subscriber, then one subscriber a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from newsletter.core.errors import Mistake
from newsletter.core.follows import Follow, read_follow
from newsletter.core.subscriber import Subscriber
from newsletter.lists.addresses import Addresses
from newsletter.lists.document import read_text, shown
from newsletter.lists.spreadsheet import Spreadsheet
from newsletter.lists.values import (
    read_cadence,
    read_hour,
    read_line,
    read_timezone,
    read_topic,
    read_topics_mode,
)


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


def _read_follows(text: str) -> tuple[Follow, ...]:
    return tuple(dict.fromkeys(read_follow(one.strip()) for one in text.split(";") if one.strip()))


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
            "follows": cache(_read_follows),
            "cadence": cache(read_cadence),
            "hour": cache(read_hour),
            "timezone": cache(read_timezone),
            "topics_mode": cache(read_topics_mode),
            "interest": read_line,
        }
        self.mistakes: list[Mistake] = []

    def note(self, line: int, message: str) -> None:
        """Add a mistake."""
        self.mistakes.append(Mistake(shown(self._path), line, message))

    def read(self) -> Iterator[tuple[int, Subscriber]]:
        """Yield each subscriber with the line of its row; `mistakes` is complete when this ends.

        Raises:
            ListFileError: the file cannot be read at all.
        """
        rows = Spreadsheet(self._readers, needed="email", note=self.note)
        for line, cells in rows.read(read_text(self._path)):
            if subscriber := self._subscriber(cells, line):
                yield line, subscriber

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
