"""Copies of a ledger in SQLite: as it is, or with the mail of an issue in flight."""

from __future__ import annotations

import io
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from newsletter.core.delivery import begun
from newsletter.store import open_store
from newsletter.store.engine import store_errors

_AT_ONCE = 2000  # deliveries
_PRIVATE = 0o600


def copy_ledger(ledger: Path, to: Path) -> None:
    """Copy a ledger that others may be writing to; the copy is one file, as the ledger is at one moment.

    Raises:
        StoreError: it cannot be copied.
    """
    with (
        store_errors(str(ledger)),
        closing(sqlite3.connect(f"file:{quote(str(ledger))}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE").close()


async def put_in_flight(ledger: Path, issue_key: int, *, now: datetime) -> None:
    """Let all that is due of an issue be in flight, held by a worker that is dead when this returns.

    Args:
        ledger: a copy of the ledger.
        issue_key: the issue.
        now: aware, UTC.

    Raises:
        StoreError: the copy cannot be changed.
    """
    store = await open_store(f"sqlite:///{ledger}")
    try:
        async with store.outbox.worker() as worker:
            while claimed := await store.outbox.claim(worker, issue_key=issue_key, now=now, limit=_AT_ONCE):
                await store.outbox.record([begun(delivery, now) for delivery in claimed])
    finally:
        await store.close()


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return files in an archive, compressed."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=6) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), _PRIVATE
            tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files of an archive by their paths, which lead nowhere but below the folder they are put into.

    Raises:
        ValueError: it is no archive of ours.
    """
    files = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            for entry in tar:
                content, path = tar.extractfile(entry), PurePosixPath(entry.name)
                if content is None or path.is_absolute() or ".." in path.parts:
                    raise ValueError(f"{entry.name} is no file of a ledger")
                files[entry.name] = content.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ValueError(str(error)) from error
    return files
