"""A Maildir (https://cr.yp.to/proto/maildir.html): a mail that was read is moved to `cur` and flagged as seen."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from typing_extensions import override

from newsletter.core.errors import InboundError
from newsletter.inbound.mails import MOST_BYTES
from newsletter.ports import Mailbox, MailboxSource, StoredMail

_INFO = ":2,"
_SEEN = "S"


class MaildirSource(MailboxSource):
    """A Maildir of a mail server, or of a program that fetches mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    @override
    def name(self) -> str:
        return f"Maildir {self._folder}"

    @asynccontextmanager
    @override
    async def open(self) -> AsyncIterator[Mailbox]:
        """Give the mailbox."""
        missing = [part for part in ("new", "cur") if not (self._folder / part).is_dir()]
        if missing:
            there = " and ".join(missing)
            raise InboundError(
                f"{self._folder}: is no Maildir: it has no folder {there}; mail servers make it with a first mail"
            )
        yield _Maildir(self._folder)


class _Maildir(Mailbox):
    """A Maildir as it was when it was first read: what arrives meanwhile is for the next time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left: list[str] | None = None  # names, the oldest last

    @override
    async def unread(self, *, limit: int) -> list[StoredMail]:
        return await asyncio.to_thread(self._unread, limit)

    def _unread(self, limit: int) -> list[StoredMail]:
        if self._left is None:
            self._left = self._names()[::-1]
        found: list[StoredMail] = []
        while self._left and len(found) < limit:
            name = self._left.pop()
            raw = _beginning(self._folder / name)
            if raw is not None:
                found.append(StoredMail(name, raw))
        return found

    def _names(self) -> list[str]:
        """Return the names of unread mails, oldest first; another program may have moved some to `cur`."""
        try:
            new = sorted(f"new/{name}" for name in os.listdir(self._folder / "new"))  # noqa: PTH208 (names alone)
            cur = sorted(f"cur/{name}" for name in os.listdir(self._folder / "cur"))  # noqa: PTH208
        except OSError as error:
            raise InboundError(f"{self._folder}: cannot be read: {error.strerror}") from error
        unread = [*new, *(name for name in cur if _SEEN not in name.partition(_INFO)[2])]
        return [name for name in unread if not name[4:].startswith(".")]

    @override
    async def done(self, names: Sequence[str], *, unclear: Collection[str] = ()) -> None:
        await asyncio.to_thread(self._done, names)

    def _done(self, names: Sequence[str]) -> None:
        for name in names:
            base, _, flags = name[4:].partition(_INFO)
            seen = f"cur/{base}{_INFO}{''.join(sorted({*flags, _SEEN}))}"
            try:
                with suppress(FileNotFoundError):  # another process did it
                    (self._folder / name).rename(self._folder / seen)
            except OSError as error:
                raise InboundError(f"{self._folder / name}: cannot be moved to cur: {error.strerror}") from error


def _beginning(path: Path) -> bytes | None:
    """Return the beginning of a mail; None if it is gone, or no file: a link could lead anywhere.

    Raises:
        InboundError: it may not be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link, a socket
            return None
        raise InboundError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise InboundError(f"{path}: cannot be read: {error.strerror}") from error
    finally:
        os.close(descriptor)
