"""A file in which one worker writes down what it has begun and settled, on this machine's disk.

Why a file beside the ledger? Each message needs two durable notes: its intent before it is sent, its outcome as
soon as it is known. Connections wait for their intents, so that a transaction of the ledger holds at most one
message of each connection: with 16 connections 6 transactions per 100 messages at best, each takes milliseconds.
A line in a mapped file costs microseconds and survives the death of the process: the page is the kernel's. The
ledger then gets both notes of many messages at once. After a crash the file is read, and the ledger is brought up
to it before anything else is done (`newsletter.delivery.record.recovery`). At most what was in flight is
`uncertain`, one message of each connection, as if each note had been a transaction.

The disk follows in the background, at most 20 ms and 500 notes later (`newsletter.delivery.record.notes`): what
was sent in the last moment before a power cut may be sent again. Waiting for the disk would cost as much as
sending.

The file has two halves that take turns: while the lines of one are being written to the ledger, new lines go into
the other, and then the first is forgotten. A half begins with a byte that says whether it counts and the number
of its turn; each line carries a checksum that covers this number too, so that reading ends where the turn's own
whole lines end, whatever comes after them.

It works where every worker of an outbox runs on one machine, that is, with SQLite. With PostgreSQL, workers
elsewhere could not read the file of a dead one, so the notes stand in the ledger itself
(`newsletter.delivery.record.notes.GroupedNotes`).
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from json.encoder import encode_basestring_ascii as _quoted  # a whole JSONEncoder takes five times as long
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.errors import StoreError
from newsletter.whole_files import sync_folder

_HALF = 2 * 1024 * 1024  # bytes
_RESERVE = _HALF // 4  # kept for the outcomes of what has been begun
_HEAD = re.compile(rb"\+\d{10}")
_FORGOTTEN = b"-"
_LOST = ".lost"  # ends the name of a journal that the operator has given up
_SENDING = DeliveryState.SENDING  # looked up once: each message needs it
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Journal:
    """The journal of one worker."""

    def __init__(self, folder: Path, worker: str) -> None:
        """Begin.

        Raises:
            StoreError: the file can't be made.
        """
        self._path = path_of(folder, worker)
        unfinished = _unfinished(self._path)
        with _as_store_error(self._path):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
            try:
                _allot(self._file)
                self._map = mmap.mmap(self._file, 2 * _HALF)
                unfinished.rename(self._path)  # whole: what isn't, under this name, was damaged
                sync_folder(folder)
            except OSError:
                os.close(self._file)
                unfinished.unlink(missing_ok=True)
                self._path.unlink(missing_ok=True)
                raise
        self._turn = 0
        self._end = 0  # of the last line in the present half
        self.is_filling = False  # whether the present half has room for outcomes only, and for no more intents
        self._begin_turn()

    def append(self, changes: Iterable[Change]) -> None:
        """Write changes down; they survive the process when this returns.

        Raises:
            StoreError: there is no room; see `is_filling`.
        """
        lines = _lines(changes, self._turn)
        end = self._end + len(lines)
        if end >= _HALF:
            raise StoreError(f"{self._path}: the delivery journal is full")
        half = self._turn % 2 * _HALF
        self._map[half + self._end : half + end] = lines
        self._end, self.is_filling = end, end > _HALF - _RESERVE

    async def sync(self) -> None:
        """Make what was written before this call survive the machine.

        Raises:
            StoreError: it could not be made so.
        """
        with _as_store_error(self._path):
            await asyncio.get_running_loop().run_in_executor(None, os.fdatasync, self._file)

    def next_turn(self) -> None:
        """Begin to write to the other half, which has been forgotten."""
        self._turn += 1
        self._begin_turn()

    def forget_last_turn(self) -> None:
        """Let the other half no longer count: the ledger holds what it said."""
        start = (self._turn + 1) % 2 * _HALF
        self._map[start : start + 1] = _FORGOTTEN

    def remove(self) -> None:
        """End: the ledger holds everything."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """End, and leave the file for recovery."""
        self._map.close()
        os.close(self._file)

    def _begin_turn(self) -> None:
        start, head = self._turn % 2 * _HALF, _head(self._turn)
        self._map[start : start + len(head)] = head
        self._end, self.is_filling = len(head), False


def path_of(folder: Path, worker: str) -> Path:
    """Return where the journal of a worker lies."""
    return folder / f"{worker}.journal"


class DamagedJournalError(StoreError):
    """A journal has lost what was written into it; `changes` is what can be read of it still."""

    def __init__(self, path: Path, reason: str, changes: list[Change]) -> None:
        self.changes = changes
        super().__init__(f"{path}: the delivery journal is damaged: {reason}")


def read(folder: Path, worker: str) -> list[Change]:
    """Return what a worker's journal says that the ledger may not know, in order; nothing if it kept none.

    Raises:
        DamagedJournalError: it doesn't say all that it did.
        StoreError: it can't be read.
    """
    path = path_of(folder, worker)
    lost = path.with_name(f"{path.name}{_LOST}")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if lost.exists():
            raise DamagedJournalError(lost, "it was put aside", []) from None
        return []
    except OSError as error:
        raise StoreError(
            f"{path}: the journal of a process that died can't be read: {error.strerror}; make it readable, or "
            f"rename it to {lost.name}: what that process held is uncertain then"
        ) from None
    halves = [_read_half(content[start : start + _HALF]) for start in (0, _HALF)]
    changes = [change for half in sorted(halves, key=lambda half: half.turn) for change in half.changes]
    if len(content) != 2 * _HALF:
        raise DamagedJournalError(path, f"it has {len(content)} bytes instead of {2 * _HALF}", changes)
    if max(half.turn for half in halves) < 0:
        raise DamagedJournalError(path, "it doesn't begin as one", changes)
    if not all(half.is_whole for half in halves):
        raise DamagedJournalError(path, "some of its lines were changed", changes)
    return changes


def remove_read(folder: Path, worker: str) -> None:
    """Remove a dead worker's journal: the ledger holds what it said.

    Raises:
        StoreError: it can't be removed.
    """
    path = path_of(folder, worker)
    with _as_store_error(path):
        path.unlink(missing_ok=True)
        _unfinished(path).unlink(missing_ok=True)


class _Half(NamedTuple):
    """What one half says, and the number of its turn, -1 if it doesn't count."""

    turn: int
    changes: list[Change]
    is_whole: bool = True


def _read_half(half: bytes) -> _Half:
    head, *lines = half.split(b"\n")
    if not _HEAD.fullmatch(head):
        return _Half(-1, [])
    turn = int(head)
    changes: list[Change] = []
    for place, line in enumerate(lines):
        change = _checked_change(line, turn)
        if change is None:
            # Lines are written one after the other: where others of this turn follow, one was changed later.
            return _Half(turn, changes, not any(_checked_change(later, turn) for later in lines[place + 1 :]))
        changes.append(change)
    return _Half(turn, changes)


def _checked_change(line: bytes, turn: int) -> Change | None:
    """Return what a line says, or None if it is no whole line of this turn."""
    whole = line[8:]
    if not whole or _checked(whole, turn) != line + b"\n":
        return None
    try:
        return _change(whole)
    except (ValueError, TypeError):  # another version of the program wrote it
        return None


def _lines(changes: Iterable[Change], turn: int) -> bytes:
    """Return a line for each change; those that are written together are mostly of one moment."""
    lines, last, moment = b"", None, 0
    for key, state, at, attempts, next_attempt_at, code, text, relay, reason, suppress in changes:
        if at is not last:
            last, moment = at, _microseconds(at)
        if state is _SENDING:
            line = b'[%d,"sending",%d,%d]' % (key, moment, attempts)
        else:
            next_attempt = _microseconds(next_attempt_at) if next_attempt_at else "null"
            line = (
                f'[{key},"{state}",{moment},{attempts},{next_attempt},{"null" if code is None else code},'
                f"{_quoted(text)},{_quoted(relay)},{_quoted(reason)},{'true' if suppress else 'false'}]"
            ).encode()
        lines += b"%08x%b\n" % (crc32(line, turn), line)
    return lines


def _checked(line: bytes, turn: int) -> bytes:
    return b"%08x%b\n" % (crc32(line, turn), line)


def _change(line: bytes) -> Change:
    key, state, at, attempts, *rest = json.loads(line)
    intent = {"key": key, "state": DeliveryState(state), "at": _moment(at), "attempts": attempts}
    if not rest:
        return Change(**intent)
    next_attempt_at, code, text, relay, reason, suppress = rest
    return Change(
        **intent,
        next_attempt_at=None if next_attempt_at is None else _moment(next_attempt_at),
        code=code,
        text=text,
        relay=relay,
        reason=reason,
        suppress=suppress,
    )


def _microseconds(moment: datetime) -> int:
    """Return a moment as a whole number, which is written in half the time of a fraction."""
    return round(moment.timestamp() * 1_000_000)


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


@contextmanager
def _as_store_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path}: the delivery journal can't be written: {error.strerror}") from error


def _allot(file: int) -> None:
    """Write the whole file, not only reserve it: a mapped page without room on the disk would kill the process."""
    if os.write(file, _head(0).ljust(2 * _HALF, b"\0")) < 2 * _HALF:
        raise OSError(None, "the disk is full")
    os.fsync(file)


def _head(turn: int) -> bytes:
    return b"+%010d\n" % turn


def _unfinished(path: Path) -> Path:
    """Return where a journal lies while it is being made."""
    return path.with_name(f"{path.name}.new")
