"""Standard streams that may be closed, full, or in another encoding: none of that stops the work or its record.

By default Python raises where a letter cannot be shown, where the reader of a pipe has gone (EPIPE) and where a
disk is full (ENOSPC): in the middle of a run, for a line of its log. Here the letter is replaced, the line is
dropped, and what was lost is known at the end.
"""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

    from _typeshed import ReadableBuffer

_STANDARD = (0, 1, 2)


class Unbreakable(io.RawIOBase):
    """Writes to a file descriptor; what cannot be written is dropped.

    `lost` says why something was dropped. A pipe that nobody reads any more loses nothing: its reader had enough.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._abandoned = False
        self.lost = ""

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write some of the data, or drop all of it; return how much was dealt with."""
        size = memoryview(data).nbytes
        if self._abandoned:
            return size
        try:
            return self._written(data)
        except BrokenPipeError:
            self._abandoned = True
        except OSError as error:
            self.lost = self.lost or error.strerror or str(error)
        return size

    def _written(self, data: ReadableBuffer) -> int:
        while True:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # whoever shares the pipe has made it so; the reader is only slow
                select.select([], [self._descriptor], [])


def prepare() -> None:
    """Make stdout and stderr unbreakable, and connect closed streams to the null device.

    A closed descriptor would go to the next file that is opened, say the database, and have logs written into it.
    """
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this descriptor's
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as the process lives)
    sys.stdout = _unbreakable(sys.stdout, 1, errors="replace")
    sys.stderr = _unbreakable(sys.stderr, 2, errors="backslashreplace")


def _unbreakable(stream: TextIO | None, descriptor: int, *, errors: str) -> TextIO:
    encoding = stream.encoding if stream is not None else "utf-8"
    line_by_line = descriptor == 2 or os.isatty(descriptor)  # noqa: PLR2004 (stderr)
    buffer = io.BufferedWriter(Unbreakable(descriptor))
    return io.TextIOWrapper(buffer, encoding=encoding, errors=errors, line_buffering=line_by_line)


def what_was_lost() -> str:
    """Write out what stdout still holds, and return why something of it could not be written, or nothing."""
    with suppress(ValueError):  # closed
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.lost if isinstance(raw, Unbreakable) else ""
