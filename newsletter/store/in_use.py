"""Who has an SQLite ledger open: meanwhile nothing is put in its place, and it is not copied elsewhere."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from newsletter.core.errors import StoreError

_NAME = ".in-use"  # workers' files beside it have names without a full stop at the beginning


class InUse:
    """A lock that all who have a ledger open share (flock(2)); the kernel lets go of it when a process ends."""

    def __init__(self, ledger: Path) -> None:
        """Take it.

        Raises:
            StoreError: a backup is being restored, or the ledger copied, just now.
        """
        self._file: int | None = None
        with suppress(OSError):  # a folder that we may not write to: nor can who would restore something there
            self._file = _opened(ledger)
        if self._file is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise StoreError(
                f"{ledger}: a backup is being restored, or the ledger copied, just now; run again later"
            ) from None

    def release(self) -> None:
        """Let go of it; safe to repeat."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextmanager
def alone_with(ledger: Path) -> Iterator[None]:
    """Keep everybody from opening a ledger for as long as the context lasts.

    Raises:
        StoreError: another process has it open.
    """
    file = _opened(ledger)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise used_by_others(ledger) from None
        yield
    finally:
        os.close(file)


def used_by_others(ledger: Path) -> StoreError:
    """Return the error of who wants a ledger alone, and does not have it."""
    return StoreError(
        f"{ledger}: another process uses it: stop `newsletter serve` and what else runs, then try again; "
        "nothing was changed"
    )


def _opened(ledger: Path) -> int:
    folder = ledger.with_name(f"{ledger.name}.workers")
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / _NAME, os.O_CREAT | os.O_RDWR, 0o600)
