"""The operator's own files of listings, one or more for each day, named by a glob pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from newsletter.core.errors import SourceError
from newsletter.core.listing import Skipped

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Files:
    """A folder, absolute, and a glob pattern within it."""

    folder: Path
    pattern: str

    @classmethod
    def of(cls, folder: Path, pattern: str) -> Files:
        """Return the files of a pattern; a relative one begins at `folder`, and may lead out of it (`..`).

        Raises:
            ValueError: there is no pattern.
        """
        *parents, last = Path(pattern.strip()).parts or ("",)
        if not last:
            raise ValueError("expected a file name or glob pattern, such as listings/*.txt")
        plain = next((index for index, part in enumerate(parents) if re.search(r"[*?[]", part)), len(parents))
        return cls(folder.joinpath(*parents[:plain]).resolve(), str(Path(*parents[plain:], last)))

    def __str__(self) -> str:
        """Return the pattern as an absolute one."""
        return str(self.folder / self.pattern)

    def matching(self, source: str) -> list[Path]:
        """Return the files that match, by name.

        Raises:
            SourceError: there are none; a pattern that never matches is a mistake and no quiet day.
        """
        if paths := sorted(path for path in self.folder.glob(self.pattern) if path.is_file()):
            return paths
        raise SourceError(f"{source}: no file matches")


def day_in(path: Path) -> date | None:
    """Return the day that a file's name ends with (`daily-papers-2026-03-12.txt`), or None."""
    written = path.stem[-10:]
    try:
        return date.fromisoformat(written) if _DAY.fullmatch(written) else None
    except ValueError:
        return None


def content(path: Path) -> str | Skipped:
    """Return a file's text (UTF-8; other bytes show as U+FFFD), or why it cannot be read."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return Skipped(what=path.name, reason=f"larger than {_MAX_BYTES:,} bytes")
        return path.read_text("utf-8-sig", errors="replace")
    except OSError as error:
        return Skipped(what=path.name, reason=f"cannot be read: {error.strerror}")
