"""The lines of a file around a mistake, for the page that names it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_PLACE = re.compile(r"^(?P<file>[^\n:]+):(?P<line>\d+): ", re.MULTILINE)
_AROUND = 4  # lines
_LONGEST = 400  # characters of a line
_LARGEST = 1_000_000  # bytes of a file
_MOST = 5  # places of a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Some lines of a file, each with its number; `line` is the one that the mistake is in."""

    file: str
    line: int
    lines: Sequence[tuple[int, str]]


def excerpts(message: str, folders: Iterable[Path]) -> list[Excerpt]:
    """Return the lines around the places that a message names as `file:line: …`.

    Args:
        message: the mistakes.
        folders: files in them are shown, and no others: settings may hold secrets.
    """
    inside = [folder.resolve() for folder in folders]
    found = []
    for place in list(_PLACE.finditer(message))[:_MOST]:
        path = _path(place["file"], inside)
        if path is None:
            continue
        line = int(place["line"])
        lines = path.read_text("utf-8", "replace").splitlines()
        first, last = max(line - _AROUND, 1), min(line + _AROUND, len(lines))
        shown = [(number, lines[number - 1][:_LONGEST]) for number in range(first, last + 1)]
        found.append(Excerpt(file=place["file"], line=line, lines=shown))
    return found


def _path(name: str, inside: Sequence[Path]) -> Path | None:
    """Return the file of a name, as it is or in one of the folders; None: there is none that may be shown."""
    for path in (Path(name), *(folder / name for folder in inside)):
        real = path.resolve()
        is_inside = any(real.is_relative_to(folder) for folder in inside)
        if is_inside and real.is_file() and real.stat().st_size <= _LARGEST:
            return real
    return None
