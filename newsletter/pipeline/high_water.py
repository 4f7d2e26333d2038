"""The high-water mark: notices that the database is not the ledger that was used last.

It may be an older copy, which does not know what was delivered since it was made, or a new ledger, which knows
nothing: either would have it delivered again. So the ledger counts up when an issue is frozen, and before and
after deliveries are made, and the state folder keeps how far it had come, by the ledger's identity and by its
place. A ledger with a lower mark is an older copy. Where one that was never used stands in the place of one that
was, that one is gone. Either way, the operator is asked.

Ledgers of other places have marks of their own, and a copied folder brings its marks along. Where the state folder
is lost, a backup is known all the same: it says itself that it is one.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from newsletter.core.errors import ConfigurationError
from newsletter.ports import HighWater
from newsletter.whole_files import write_whole

log = structlog.get_logger(__name__)

_FILE = "high-water.json"
_AT = "at "  # before the place of a ledger; identities begin otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """How far the ledger has come, and what the folder says: how far it, or the one in its place, had come."""

    reached: int
    known: int
    gone: int  # how far another one in its place had come, if this one was never used; 0: there was none
    copied_at: datetime | None  # of when it is a backup

    @property
    def is_older(self) -> bool:
        return self.copied_at is not None or self.reached < self.known or self.gone > 0


def is_kept_in(folder: Path) -> bool:
    """Return whether a folder keeps the mark of a ledger."""
    return (folder / _FILE).exists()


class HighWaterMark:
    """Compares a ledger with the mark that is kept in a folder."""

    def __init__(self, ledger: HighWater, folder: Path) -> None:
        self._ledger = ledger
        self._folder = folder

    async def check(self) -> None:
        """Raise an error if the ledger is an older copy, or a backup.

        Raises:
            ConfigurationError: in one line, what is wrong and what the operator can do.
        """
        found, file = await self._compared(), self._folder / _FILE
        if not found.is_older:
            return
        what = "what it does not know to be sent would be sent again"
        if found.gone:
            is_ = f"new, and the ledger in its place is gone: {file} says that it had come to step {found.gone}"
            what = "what that one knew to be sent would be sent again, and to who had left, too"
        elif found.reached < found.known:
            is_ = f"an older copy: it is at step {found.reached}, {file} says {found.known}"
        else:
            is_ = f"a backup of {found.copied_at:%Y-%m-%d %H:%M} (UTC)"
        raise ConfigurationError(
            f"the database is {is_}; {what}, so nothing was done. "
            f"Put back the {'ledger or a backup' if found.gone else 'newer one'}, or go on with this one by "
            "`newsletter issues accept-restored --assume-sent-until now`: then nobody gets anything twice, and "
            "some may miss an issue"
        )

    async def advance(self) -> None:
        """Note, durably, that the ledger has come further."""
        name, *_, place = await self._ledger.read()
        if name:
            await asyncio.to_thread(self._keep, name, self._at(place), await self._ledger.advance())

    async def is_older(self) -> bool:
        """Return whether the ledger is an older copy, a backup, or a new one in the place of one that is gone."""
        return (await self._compared()).is_older

    async def _compared(self) -> _Compared:
        name, reached, copied_at, place = await self._ledger.read()
        marks = await asyncio.to_thread(self._read) if name else {}
        known = marks.get(name, 0)
        if reached < known:  # another process of this folder may have gone on between the two looks
            _, reached, copied_at, _ = await self._ledger.read()
        is_new = name not in marks and not reached
        gone = marks.get(self._at(place), 0) if is_new else 0
        return _Compared(reached=reached, known=known, gone=gone, copied_at=copied_at)

    async def accept(self) -> None:
        """Go on with an older copy or a new ledger, as the operator wishes."""
        name, *_, place = await self._ledger.read()
        mark = await self._ledger.accept(at_least=await self.known(name) + 1)
        await asyncio.to_thread(self._keep, name, self._at(place), mark)

    async def known(self, name: str) -> int:
        """Return how far the ledger of an identity had come, as far as the folder says; 0: it says nothing."""
        return (await asyncio.to_thread(self._read)).get(name, 0) if name else 0

    def _read(self) -> dict[str, int]:
        try:
            marks = json.loads((self._folder / _FILE).read_bytes())
            return {str(name): int(mark) for name, mark in marks.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            log.warning("high_water_mark_not_read", file=str(self._folder / _FILE), reason=str(error))
            return {}

    def _at(self, place: str) -> str:
        """Return the name of a place among the marks: of one in the folder without that, as it may be moved."""
        return _AT + place.removeprefix(f"{self._folder.absolute()}{os.sep}")

    def _keep(self, name: str, place: str, mark: int) -> None:
        """Write the mark down for the ledger and its place, unless another process has written a higher one."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _alone(self._folder):
                marks = self._read()
                if marks.get(name, 0) < mark:
                    marks |= {name: mark, place: mark}
                    write_whole(self._folder / _FILE, json.dumps(marks).encode(), durable=True)
        except OSError as error:  # a delivery is worth more than the mark
            log.warning("high_water_mark_not_kept", file=str(self._folder / _FILE), reason=error.strerror)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from writing at the same time (flock(2): the lock ends with the process)."""
    lock = os.open(folder / "high-water.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
