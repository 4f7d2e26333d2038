"""Mails in files, one in each, or many in an mbox (RFC 4155). They stay as they are."""

from __future__ import annotations

import asyncio
import mailbox
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, closing
from itertools import islice
from pathlib import Path

from typing_extensions import override

from newsletter.core.errors import InboundError
from newsletter.inbound.mails import MOST_BYTES
from newsletter.ports import Mailbox, MailboxSource, StoredMail

_MBOX = b"From "


class FileSource(MailboxSource):
    """A file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    @override
    def name(self) -> str:
        return str(self._path)

    @asynccontextmanager
    @override
    async def open(self) -> AsyncIterator[Mailbox]:
        """Give the mails of the file."""
        try:
            raw = await asyncio.to_thread(self._beginning)
        except OSError as error:
            raise InboundError(f"{self._path}: cannot be read: {error.strerror}") from error
        if not raw.startswith(_MBOX):
            yield _OneMail(StoredMail(str(self._path), raw))
            return
        with closing(mailbox.mbox(self._path, create=False)) as box:
            yield _Mbox(box)

    def _beginning(self) -> bytes:
        with self._path.open("rb") as file:
            return file.read(MOST_BYTES)


class _Kept(Mailbox):
    """Mails that stay where they are."""

    @override
    async def done(self, names: Sequence[str], *, unclear: Collection[str] = ()) -> None:
        """Leave them."""


class _OneMail(_Kept):
    def __init__(self, mail: StoredMail) -> None:
        self._left = [mail]

    @override
    async def unread(self, *, limit: int) -> list[StoredMail]:
        left, self._left = self._left, []
        return left


class _Mbox(_Kept):
    def __init__(self, box: mailbox.mbox) -> None:
        self._box = box
        self._keys = enumerate(box.iterkeys(), start=1)

    @override
    async def unread(self, *, limit: int) -> list[StoredMail]:
        return await asyncio.to_thread(self._unread, limit)

    def _unread(self, limit: int) -> list[StoredMail]:
        return [StoredMail(f"mail {number}", self._raw(key)) for number, key in islice(self._keys, limit)]

    def _raw(self, key: str) -> bytes:
        with closing(self._box.get_file(key)) as file:
            return bytes(file.read(MOST_BYTES))
