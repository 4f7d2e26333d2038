"""The ledger on a branch: fetched before a run, and put back when mail is about to leave and when it has left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from typing_extensions import override

from newsletter.core.errors import BusyElsewhereError, ConfigurationError, StoreError
from newsletter.ports import LedgerKeeper
from newsletter.store.branch.copies import copy_ledger, packed, put_in_flight, unpacked
from newsletter.store.branch.git import Branch
from newsletter.store.branch.sealing import SealError, seal, unseal
from newsletter.whole_files import write_whole

# Who has announced what is sent sends it within this time, and nobody else goes on before the longer one is over.
_SENDING, _BUSY = timedelta(minutes=30), timedelta(minutes=40)
# Seconds before further tries. What was sent is worth more patience than what may be sent an hour later.
_BEFORE, _AFTER = (1.0, 2.0, 5.0, 10.0), (1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0)
_LARGEST = 95 * 1000 * 1000  # bytes; GitHub takes no file of 100 MB
_LEDGER, _ABOUT, _BUSY_UNTIL = "ledger.db", "about.json", "busy_until"
# What goes with the ledger, by their paths in the state folder: what was noticed, and who asked for patience.
_BESIDE = ("high-water.json", "http/*.cooldown")
_ASIDE = ".before-pull"
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerBranch(LedgerKeeper):
    """A ledger in SQLite, kept on a branch.

    Attributes:
        ledger: its file.
        state: the folder of what the program keeps beside it.
        secrets: what the copy is sealed with, and behind it what former ones may have been.
        branch: the branch.
    """

    ledger: Path
    state: Path
    secrets: tuple[str, ...]
    branch: Branch

    @override
    async def begin(self, issue_key: int, *, now: datetime) -> datetime:
        with self._copy_in_the_making() as copy:
            await asyncio.to_thread(copy_ledger, self.ledger, copy)
            await put_in_flight(copy, issue_key, now=now)
            await asyncio.to_thread(self._put, copy, now + _BUSY)
        return now + _SENDING

    @override
    async def keep(self) -> None:
        """Keep also the journals of a killed process: who goes on brings the ledger up to them."""
        with self._copy_in_the_making() as copy:
            await asyncio.to_thread(copy_ledger, self.ledger, copy)
            await asyncio.to_thread(self._put, copy, None)

    @property
    @override
    def name(self) -> str:
        return str(self.branch)

    @override
    def pull(self, *, now: datetime, first: bool) -> bool:
        commit = self.branch.fetch()
        if commit is None:
            if first:
                return False
            raise ConfigurationError(
                f"{self.branch}: there is none, so nobody knows what was sent and who has left. If there never "
                "was one, begin by `newsletter db pull --first`; else restore the branch"
            )
        files = self._unsealed(commit)
        about = json.loads(files.pop(_ABOUT))
        busy_until = about[_BUSY_UNTIL] and datetime.fromisoformat(about[_BUSY_UNTIL])
        if busy_until and now < busy_until:
            raise BusyElsewhereError(
                f"{self.branch}: a run elsewhere is delivering, or was cut off: nothing was done; run again after "
                f"{busy_until:%H:%M} UTC"
            )
        try:
            self._place(files)
        except OSError as error:
            raise StoreError(f"{error.filename or self.ledger}: cannot be written: {error.strerror}") from error
        self.branch.work_on_from(commit)
        return True

    def _unsealed(self, commit: str) -> dict[str, bytes]:
        try:
            return unpacked(unseal(self.branch.read(commit), self.secrets))
        except SealError as error:
            raise ConfigurationError(
                f"{self.branch}: {error}; set NEWSLETTER_WEB__SECRET_KEY to the key that it was sealed with, "
                "or put that into NEWSLETTER_WEB__FORMER_SECRET_KEYS"
            ) from None
        except ValueError as error:
            raise ConfigurationError(f"{self.branch}: the ledger in it cannot be read: {error}") from None

    def _place(self, files: dict[str, bytes]) -> None:
        """Write the files to their places, the ledger last: without it nothing else counts."""
        ledger = files.pop(_LEDGER)
        for path, content in files.items():
            write_whole(self._place_of(path), content, mode=_PRIVATE)
        if self.ledger.exists():
            if self.ledger.with_name(f"{self.ledger.name}-wal").exists():
                raise StoreError(f"{self.ledger}: another process uses it: end that first")
            self.ledger.replace(self.ledger.with_name(f"{self.ledger.name}{_ASIDE}"))
        write_whole(self.ledger, ledger, durable=True, mode=_PRIVATE)

    def _place_of(self, path: str) -> Path:
        folder, _, name = path.partition("/")
        return self._journals / name if folder == "journals" else self.state / path.removeprefix("state/")

    def _put(self, copy: Path, busy_until: datetime | None) -> None:
        files = {_ABOUT: json.dumps({_BUSY_UNTIL: busy_until and busy_until.isoformat()}).encode()}
        files[_LEDGER] = copy.read_bytes()
        for pattern in _BESIDE:
            for path in sorted(self.state.glob(pattern)):
                files[f"state/{path.relative_to(self.state).as_posix()}"] = path.read_bytes()
        if busy_until is None:  # else all of them have been read, but for our own, which holds nothing now
            files |= {f"journals/{path.name}": path.read_bytes() for path in self._journals.glob("*.journal")}
        sealed = seal(packed(files), self.secrets[0])
        if len(sealed) > _LARGEST:
            raise StoreError(
                f"{self.branch}: the ledger has {len(sealed):,} bytes even when it is compressed, too many for a "
                "branch: set NEWSLETTER_DATABASE__URL to a PostgreSQL server"
            )
        self.branch.put(sealed, waits=_AFTER if busy_until is None else _BEFORE)

    @property
    def _journals(self) -> Path:
        return self.ledger.with_name(f"{self.ledger.name}.journals")

    @contextmanager
    def _copy_in_the_making(self) -> Iterator[Path]:
        """Give a place for a copy that nobody else can read, and that is gone at the end."""
        with TemporaryDirectory(prefix="newsletter-ledger-") as folder:
            yield Path(folder) / self.ledger.name
