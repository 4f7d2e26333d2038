"""The high-water mark: notices that the database is an older copy of the one that was used last.

Such a copy does not know what was delivered since it was made, and would have all of it delivered again. So the
ledger counts up when an issue is frozen, and before and after deliveries are made, and the state folder keeps how
far it had come, by the ledger's identity. A ledger with a lower mark is an older copy, and the operator is asked.

A new ledger has an identity of its own, and a copied folder brings its mark along. Where the state folder is lost,
a backup is known all the same: it says itself that it is one.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from newsletter.core.errors import ConfigurationError
from newsletter.ports import HighWater
from newsletter.whole_files import write_whole

log = structlog.get_logger(__name__)

_FILE = "high-water.json"


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
        reached, known, copied_at = await self._compared()
        if reached < known:
            what = f"an older copy: it is at step {reached}, {self._folder / _FILE} says {known}"
        elif copied_at is not None:
            what = f"a backup of {copied_at:%Y-%m-%d %H:%M} (UTC)"
        else:
            return
        raise ConfigurationError(
            f"the database is {what}; what it does not know to be sent would be sent again, so nothing was done. "
            "Put back the newer one, or go on with this one by `newsletter issues accept-restored "
            "--assume-sent-until now`: then nobody gets anything twice, and some may miss an issue"
        )

    async def advance(self) -> None:
        """Note, durably, that the ledger has come further."""
        name, *_ = await self._ledger.read()
        if name:
            await asyncio.to_thread(self._keep, name, await self._ledger.advance())

    async def is_older(self) -> bool:
        """Return whether the ledger is an older copy, or a backup."""
        reached, known, copied_at = await self._compared()
        return copied_at is not None or reached < known

    async def _compared(self) -> tuple[int, int, datetime | None]:
        """Return how far the ledger has come, how far the folder says that it had, and of when it is a backup."""
        name, reached, copied_at = await self._ledger.read()
        known = await self.known(name)
        if reached < known:  # another process of this folder may have gone on between the two looks
            _, reached, copied_at = await self._ledger.read()
        return reached, known, copied_at

    async def accept(self) -> None:
        """Go on with an older copy, as the operator wishes."""
        name, *_ = await self._ledger.read()
        mark = await self._ledger.accept(at_least=await self.known(name) + 1)
        await asyncio.to_thread(self._keep, name, mark)

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

    def _keep(self, name: str, mark: int) -> None:
        """Write the mark down, unless another process has written a higher mark."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with _alone(self._folder):
                marks = self._read()
                if marks.get(name, 0) < mark:
                    write_whole(self._folder / _FILE, json.dumps(marks | {name: mark}).encode(), durable=True)
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
