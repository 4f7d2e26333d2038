"""Putting a restored ledger in the place of an SQLite one.

Whoever is killed meanwhile leaves the old one there or the new one.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from newsletter.store.engine import store_errors
from newsletter.store.in_use import used_by_others
from newsletter.whole_files import sync_folder

_BESIDE = ("-wal", "-shm")  # what SQLite keeps beside a database that is open, or was when its process died


def place(new: Path, ledger: Path, *, kept_as: Path) -> None:
    """Put a new ledger in the place of another; the other is kept.

    Args:
        new: the new one, in the same folder, closed.
        ledger: the place. There may be none yet.
        kept_as: the name that the replaced one has from then on.

    Raises:
        StoreError: another process has the ledger open, or a file cannot be written.
    """
    with store_errors(f"SQLite database {ledger}"):
        _into_one_file(new)
        if ledger.exists():
            is_sound = _into_one_file(ledger)
            _second_name(ledger, kept_as)
            for end in () if is_sound else _BESIDE:
                if (beside := ledger.with_name(ledger.name + end)).exists():
                    beside.replace(kept_as.with_name(kept_as.name + end))
        new.replace(ledger)
        sync_folder(ledger.parent)


def _into_one_file(ledger: Path) -> bool:
    """Move what stands in the write-ahead log into the database, which needs it alone.

    Returns:
        False: the database is damaged; it is left as it is.

    Raises:
        StoreError: another process has it open.
    """
    try:
        with closing(sqlite3.connect(ledger, timeout=1)) as database:
            database.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise used_by_others(ledger) from None
        raise
    except sqlite3.DatabaseError:
        return False
    return True


def _second_name(file: Path, name: Path) -> None:
    """Give a file another name beside its own; where the file system knows no such thing, a copy has it."""
    try:
        name.hardlink_to(file)
    except FileExistsError:
        if not name.samefile(file):  # by whoever was killed a moment ago
            raise
    except OSError:
        shutil.copy2(file, name)
    sync_folder(name.parent)
