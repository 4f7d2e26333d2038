"""Pages that are kept as files in the state folder, under names that say all that they depend on.

Files, not rows of the ledger: a page can be made again at any time, so it needs no backup and no transaction, and
reading it costs less. Several processes may keep pages in one folder: each file is whole as soon as it is there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from time import time

import structlog

from newsletter.whole_files import write_whole

log = structlog.get_logger(__name__)

_MOST_BYTES = 512 * 1024 * 1024
_A_DAY = 86_400.0  # seconds; till then another process, of another version, may want what we do not


class KeptPages:
    """A folder of pages. A name is `place-version`: of each place the newest version is kept, others for a day."""

    def __init__(self, folder: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        """Begin; the folder is made when there is something to keep. It holds `most_bytes` or a little more."""
        self._folder = folder
        self._most_bytes = most_bytes

    def read(self, name: str) -> bytes | None:
        """Return a page, or None if it isn't kept."""
        try:
            return (self._folder / f"{name}.html").read_bytes() or None
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Keep a page; where that is impossible, say so in the log."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(name.partition("-")[0], len(content))
            # Durable, or after a power cut the name might be there and the bytes not.
            write_whole(self._folder / f"{name}.html", content, durable=True)
        except OSError as error:
            log.warning("page_not_kept", folder=str(self._folder), reason=error.strerror)

    def _make_room(self, place: str, size: int) -> None:
        """Remove what is superseded, what writers that were killed have left, and the oldest if it is too much."""
        now, pages = time(), []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):  # another process makes room, too
                status = entry.stat()
                is_page = entry.name.endswith(".html")
                is_spent = entry.name.startswith(f"{place}-") if is_page else entry.name.startswith(".")
                if is_spent and now - status.st_mtime > _A_DAY:
                    os.unlink(entry.path)  # noqa: PTH108 (a DirEntry)
                elif is_page:
                    pages.append((status.st_mtime, status.st_size, entry.path))
        total = size + sum(held for _, held, _ in pages)
        for _, held, path in sorted(pages):
            if total <= self._most_bytes:
                break
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108
            total -= held
