"""Recorded pages of Hugging Face Daily Papers, as a source of the past."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from newsletter.core.errors import SourceError, UsageError
from newsletter.core.listing import Page
from newsletter.ports import Source
from newsletter.sources.huggingface import read_paper
from newsletter.sources.reading.json_text import read_json
from newsletter.sources.reading.records import each, page

_STATES = ("morning", "final")


class Recordings(Source):
    """A folder of recordings.

    `YYYY-MM-DD.morning.json` is the answer of `GET /api/daily_papers?date=…` in the morning of that day,
    `YYYY-MM-DD.final.json` a later answer; a day may lack either.

    Raises:
        UsageError: there is no recording in the folder.
    """

    name = "huggingface"
    dated = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        days = sorted({day for path in folder.glob("*.json") if (day := _day(path.name)) is not None})
        if not days:
            raise UsageError(f"{folder} holds no recordings: expected files such as 2025-06-02.morning.json")
        self.first, self.last = days[0], days[-1]
        self._pages: dict[Path, Page] = {}

    async def read(self, day: date, *, now: datetime) -> Page:
        """Return the page of a day as it was at `now`: the morning's until the day (UTC) is over, then the last.

        Raises:
            SourceError: a recording cannot be read.
        """
        is_over = day < now.astimezone(UTC).date()
        paths = (self._folder / f"{day}.{state}.json" for state in (reversed(_STATES) if is_over else _STATES[:1]))
        path = next((path for path in paths if path.exists()), None)
        if path is None:
            return Page()
        if path not in self._pages:
            self._pages[path] = self._read(path, day, now)
        return self._pages[path]

    def _read(self, path: Path, day: date, now: datetime) -> Page:
        try:
            records = read_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise SourceError(f"{path}: {error}") from error
        if not isinstance(records, list):
            raise SourceError(f"{path}: not a list of papers")
        return page(self.name, day, now, each(records, read_paper))


def _day(name: str) -> date | None:
    """Return the day of a recording by its file's name, or None if it is another file."""
    day, _, state = name.removesuffix(".json").partition(".")
    try:
        return date.fromisoformat(day) if state in _STATES else None
    except ValueError:
        return None
