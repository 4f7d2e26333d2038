"""The operator's own files of listings, one or more for each day, named by a glob pattern."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog

from newsletter.core.errors import SourceError
from newsletter.core.listing import Skipped
from newsletter.sources.reading.file_text import NotTextError, decoded
from newsletter.sources.reading.records import Seen

_log = structlog.get_logger(__name__)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Files:
    """An absolute folder, and a glob pattern within it."""

    folder: Path
    pattern: str

    @classmethod
    def of(cls, folder: Path, pattern: str) -> Files:
        """Return the files of a pattern. A relative pattern begins at `folder`, and may lead out of it (`..`).

        Raises:
            ValueError: there is no pattern.
        """
        *parents, last = Path(pattern.strip()).parts or ("",)
        if not last:
            raise ValueError("expected a file name or glob pattern, such as listings/*.txt")
        plain = next((index for index, part in enumerate(parents) if re.search(r"[*?[]", part)), len(parents))
        return cls(folder.joinpath(*parents[:plain]).resolve(), str(Path(*parents[plain:], last)))

    def __str__(self) -> str:
        """Return the absolute pattern."""
        return str(self.folder / self.pattern)

    def matching(self, source: str) -> list[Path]:
        """Return the files that match, by name.

        Raises:
            SourceError: no file matches, which is a mistake in the list file.
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


@dataclass(frozen=True, slots=True)
class Content:
    """A file's text, or None if nothing of it can be read; and what cannot be read, with the reasons."""

    text: str | None
    skipped: tuple[Skipped, ...] = ()


def content(path: Path) -> Content:
    """Return a file's text, its lines ending in LF; see `file_text` for encodings."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return _unread(path, f"larger than {_MAX_BYTES:,} bytes")
        found = decoded(path.read_bytes())
    except OSError as error:
        return _unread(path, f"cannot be read: {error.strerror}")
    except NotTextError as error:
        return _unread(path, str(error))
    if found.guessed:
        _log.info("encoding_guessed", file=path.name, encoding=found.guessed)
    lines = (Skipped(what=f"{path.name}:{number}", reason=reason) for number, reason in found.unreadable)
    return Content(found.text, tuple(lines))


def _unread(path: Path, reason: str) -> Content:
    return Content(None, (Skipped(what=path.name, reason=reason),))


def require_readable(source: str, found: Sequence[Seen | Skipped], unread: Sequence[Skipped]) -> None:
    """Raise an error if nothing in the day's files could be read; it must not look like a day without papers.

    Args:
        source: the source's name.
        found: all records of the day's files, read or skipped.
        unread: what could not be read.

    Raises:
        SourceError: no record could be read; it names the first reason.
    """
    if unread and not any(isinstance(item, Seen) for item in found):
        more = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
        raise SourceError(f"{source}: nothing can be read: {unread[0].what}: {unread[0].reason}{more}")
