"""Rendered pages, kept as files in the state folder.

Files, not rows of the ledger: a page can be rendered again at any time, so it needs no backup and no transaction.
Several processes may share one folder: each file is complete as soon as it is there.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import time
from typing import NamedTuple

import structlog

from newsletter.whole_files import write_whole

log = structlog.get_logger(__name__)

_MOST_BYTES = 512 * 1024 * 1024
_A_DAY = 86_400.0  # seconds; until then a process of another version may still read an old page


class Made(NamedTuple):
    """A page as it was just rendered; `lasts`: it may be kept."""

    content: bytes
    lasts: bool


class KeptPages:
    """A folder of pages, of which each is rendered once.

    A name is `place-version`: the newest version of each place stays, older ones stay for a day.
    """

    def __init__(self, folder: Path, *, most_bytes: int = _MOST_BYTES) -> None:
        """Begin; the folder is made with the first page. All files together may have `most_bytes`."""
        self._folder = folder
        self._most_bytes = most_bytes
        self._being_made: dict[str, asyncio.Task[bytes]] = {}

    async def page(self, name: str, make: Callable[[], Awaitable[Made]]) -> bytes:
        """Return the page `name`; if it isn't kept, render it once for all who ask meanwhile.

        Args:
            name: changes with all that the page depends on.
            make: renders it. What it raises is raised here, and the next request tries again.
        """
        content = self.read(name)
        if content is not None:
            return content
        making = self._being_made.get(name)
        if making is None:
            making = asyncio.create_task(self._make(name, make))
            self._being_made[name] = making
            making.add_done_callback(partial(self._made, name))
        return await asyncio.shield(making)  # a client that disconnects must not cancel it for the others

    async def _make(self, name: str, make: Callable[[], Awaitable[Made]]) -> bytes:
        made = await make()
        if made.lasts:
            await asyncio.to_thread(self.write, name, made.content)
        return made.content

    def _made(self, name: str, making: asyncio.Task[bytes]) -> None:
        del self._being_made[name]
        if not making.cancelled():
            making.exception()  # retrieved, or asyncio warns when all who waited have disconnected

    def read(self, name: str) -> bytes | None:
        """Return a page, or None if it isn't kept."""
        try:
            return (self._folder / f"{name}.html").read_bytes() or None
        except OSError:
            return None

    def write(self, name: str, content: bytes) -> None:
        """Keep a page; log a warning if the folder cannot be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room(name.partition("-")[0], len(content))
            # Durable: else a power cut may leave the name without the bytes.
            write_whole(self._folder / f"{name}.html", content, durable=True)
        except OSError as error:
            log.warning("page_not_kept", folder=str(self._folder), reason=error.strerror)

    def _make_room(self, place: str, size: int) -> None:
        """Remove old versions, unfinished files of killed writers, and the oldest pages beyond the size limit."""
        now, pages = time(), []
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):  # another process removed it
                status = entry.stat()
                is_page = entry.name.endswith(".html")
                is_removable = entry.name.startswith(f"{place}-") if is_page else entry.name.startswith(".")
                if is_removable and now - status.st_mtime > _A_DAY:
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
