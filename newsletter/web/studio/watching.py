"""Tells pages when a file has changed that they show: server-sent events (HTML standard, 9.2)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from watchfiles import Change, DefaultFilter, awatch

log = structlog.get_logger(__name__)

_BEAT = 15.0  # seconds after which a silent connection says that it lives
# Milliseconds: how often is looked, and for how long changes are gathered that follow one another.
_STEP, _GATHERED_FOR = 50, 200
_LOOK = 1000  # milliseconds after which settings are looked at whatever the system has told


class Changes:
    """Numbers the changes of files. A page that was made at one number waits for another one."""

    def __init__(self) -> None:
        # By chance, so that a page which was made by a former process notices that there is another one.
        self.number = secrets.randbelow(10**9)
        self._is_over = False
        self._happened = asyncio.Event()

    def note(self) -> None:
        """Count a change, and wake who waits."""
        self.number += 1
        self._wake()

    def end(self) -> None:
        """Let nobody wait any longer."""
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        self._happened.set()
        self._happened = asyncio.Event()

    async def events(self, seen: str) -> AsyncIterator[str]:
        """Yield the events for a page: one as soon as the number is not the one that it has seen, and so on.

        Args:
            seen: the number at which the page was made.
        """
        yield "retry: 300\n\n"
        while not self._is_over:
            if str(self.number) != seen:
                seen = str(self.number)
                yield f"event: change\ndata: {seen}\n\n"
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(self._happened.wait(), _BEAT)
                continue
            yield ": here\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is watched.

    Attributes:
        folders: that are there, with all that is in them: templates and list files.
        files: of which what the settings say depends: `.env`, and folders that are not there yet.
    """

    folders: tuple[Path, ...]
    files: tuple[Path, ...]


@asynccontextmanager
async def watching(
    watched: Callable[[], Watched], changes: Changes, renew: Callable[[], Awaitable[object]]
) -> AsyncIterator[None]:
    """Note changes of files for as long as the context lasts.

    Args:
        watched: says what to watch; it is asked again after each renewal.
        changes: where they are noted.
        renew: is called when one of the files has changed that settings depend on, before it is noted.
    """
    stop = asyncio.Event()
    task = asyncio.create_task(_watch(watched, changes, renew, stop), name="watching files")
    try:
        yield
    finally:
        stop.set()
        changes.end()
        await task


async def _watch(
    watched: Callable[[], Watched],
    changes: Changes,
    renew: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
) -> None:
    while not stop.is_set():
        what, over = watched(), asyncio.Event()
        ends = asyncio.create_task(_either(stop, over))
        in_folders = asyncio.create_task(_in_folders(what.folders, changes, over))
        try:
            await _renewed(watched, what, changes, renew, over)
        finally:
            over.set()
            ends.cancel()
            await in_folders


async def _renewed(
    watched: Callable[[], Watched],
    what: Watched,
    changes: Changes,
    renew: Callable[[], Awaitable[object]],
    over: asyncio.Event,
) -> None:
    """Renew whenever one of the files changes, until something else is to be watched."""
    seen = _states(what.files)
    async for _ in _changed(_parents(what.files), _Only(what.files), over, recursive=False, beat=_LOOK):
        if (now := _states(what.files)) != seen:
            seen = now
            log.info("settings_changed", files=[str(path) for path in what.files])
            await renew()
            changes.note()
            if watched() != what:
                over.set()  # the watching ends by itself


def _states(files: Iterable[Path]) -> list[tuple[int, int, int] | None]:
    """Return what of each file changes with its content; of a folder, whether it is there."""
    found: list[tuple[int, int, int] | None] = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            found.append(None)
        else:
            is_folder = file.is_dir()
            found.append((0, 0, 0) if is_folder else (status.st_mtime_ns, status.st_size, status.st_ino))
    return found


async def _either(stop: asyncio.Event, over: asyncio.Event) -> None:
    await stop.wait()
    over.set()


async def _in_folders(folders: Iterable[Path], changes: Changes, over: asyncio.Event) -> None:
    async for _ in _changed(folders, DefaultFilter(), over, recursive=True):
        changes.note()


async def _changed(
    paths: Iterable[Path],
    wanted: Callable[[Change, str], bool],
    over: asyncio.Event,
    *,
    recursive: bool,
    beat: int | None = None,
) -> AsyncIterator[object]:
    """Yield after changes, and every `beat` milliseconds without any, until it is over."""
    changed = awatch(
        *paths,
        watch_filter=wanted,
        debounce=_GATHERED_FOR,
        step=_STEP,
        stop_event=over,
        recursive=recursive,
        rust_timeout=beat,
        yield_on_timeout=beat is not None,
    )
    try:
        async for found in changed:
            yield found
    except OSError as error:  # such as: the system watches as many files as it may
        log.warning(
            "files_not_watched",
            paths=[str(p) for p in paths],
            error=str(error),
            hint="reload the page after a change",
        )
        await over.wait()


def _parents(files: Iterable[Path]) -> set[Path]:
    """Return the folders to watch for files: a file that is replaced by another is another one to the system."""
    return {parent for file in files if (parent := file.absolute().parent).is_dir()}


class _Only:
    """Lets changes of some files through."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = {str(file.absolute()) for file in files}

    def __call__(self, _: Change, path: str) -> bool:
        return path in self._files
