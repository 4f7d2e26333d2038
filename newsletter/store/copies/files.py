"""Copies of a ledger as files: made of SQLite without holding anybody up; looked at before they are restored."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from newsletter.core.errors import StoreError, UsageError
from newsletter.core.text import one_line
from newsletter.store.column_types import moment_text, read_moment
from newsletter.store.engine import PATIENCE, store_errors
from newsletter.store.migrate import newest_revision
from newsletter.store.search_index import fill_index
from newsletter.whole_files import sync_folder

# In a backup alone: files of the state folder that go with the ledger.
_KEPT_FILES = "CREATE TABLE IF NOT EXISTS kept_files (name TEXT PRIMARY KEY, content TEXT NOT NULL)"
_PRIVATE = 0o600  # it holds addresses
_BEGINNING = b"SQLite format 3\0"  # of each database (https://www.sqlite.org/fileformat.html, 1.3)


@contextmanager
def new_file(path: Path, partial: Path) -> Iterator[Path]:
    """Give an empty file that only its owner can read; it takes its place when the context ends well.

    Args:
        path: the place; what is there is replaced.
        partial: where the file lies until it is whole, in the same folder. What a killed process left there is
            overwritten.

    Raises:
        UsageError: another process is at it, or it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(partial, os.O_CREAT | os.O_RDWR, _PRIVATE)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"{partial}: another backup is being written there just now") from None
        os.ftruncate(file, 0)
        os.fchmod(file, _PRIVATE)
        try:
            yield partial
            os.fsync(file)
            partial.replace(path)
            sync_folder(path.parent)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    finally:
        os.close(file)


def is_database(path: Path) -> bool:
    """Return whether a file is an SQLite database, by its beginning; an unreadable one is none."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy an SQLite database as it is at one moment, while others read and write it.

    The copy is compact: nothing is in it that was deleted (https://www.sqlite.org/lang_vacuum.html).

    Args:
        source: the database.
        target: an empty file.

    Raises:
        StoreError: the database cannot be read, or the copy not be written.
    """
    with store_errors(f"SQLite database {source}"), closing(_opened(source, "ro")) as database:
        database.execute("VACUUM INTO ?", (str(target),))


def mark_as_backup(copy: Path, *, made_at: datetime, secret_key: str | None) -> None:
    """Note in a copy that it is one, since when, and the key that goes with it; then check that it is sound.

    The copy of a ledger that an older version made has no place for the moment.

    Raises:
        StoreError: the copy is damaged, or cannot be written.
    """
    with store_errors(str(copy)), closing(_opened(copy, "rw")) as database:
        if any(name == "copied_at" for _, name, *_ in database.execute("PRAGMA table_info(ledger)")):
            database.execute("UPDATE ledger SET copied_at = ?", (moment_text(made_at),))
        if secret_key:
            database.execute(_KEPT_FILES)
            database.execute("INSERT INTO kept_files VALUES ('secret_key', ?)", (secret_key,))
        database.commit()
        _require_sound(database, copy)


def take_kept_key(copy: Path) -> str:
    """Take the key that signs links out of a copy; empty if there is none."""
    with store_errors(str(copy)), closing(_opened(copy, "rw")) as database:
        database.execute(_KEPT_FILES)
        row = database.execute("SELECT content FROM kept_files WHERE name = 'secret_key'").fetchone()
        database.execute("DROP TABLE kept_files")
        database.commit()
    return str(row[0]) if row else ""


def check_copy(copy: Path, shown: Path) -> None:
    """Find out whether a copy of a ledger is sound, and this version of the program knows its tables.

    Args:
        copy: the file.
        shown: what it is called in messages.

    Raises:
        StoreError: it is damaged, one of a newer version, or holds what would act by itself.
    """
    with store_errors(str(shown)), closing(_opened(copy, "rw")) as database:
        _require_sound(database, shown)
        _require_only_tables(database, shown)
        if (revision := revision_of(database) or "") > newest_revision():
            raise StoreError(
                f"{shown}: its tables are of revision {revision}, which this version of the program does not "
                "know; restore it with the version that made it, or a newer one"
            )


def revision_of(database: sqlite3.Connection) -> str | None:
    """Return the revision of a ledger's tables; None if it is no ledger."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def known_until(copy: Path) -> datetime | None:
    """Return up to when a copy knows what happened: when it was made, or else the newest moment that stands in it.

    Returns:
        None: nothing has ever happened in it.

    Raises:
        StoreError: it is damaged, or no ledger.
    """
    newest = [("deliveries", "updated_at"), ("readings", "attempted_at"), ("issues", "frozen_at")]
    with store_errors(str(copy)), closing(_opened(copy, "ro")) as database:
        if revision_of(database) is None:
            raise StoreError(f"{copy}: holds no ledger of this program")
        columns = {name for _, name, *_ in database.execute("PRAGMA table_info(ledger)")}
        if "copied_at" in columns:
            made_at = database.execute("SELECT copied_at FROM ledger").fetchone()[0]
            if made_at:
                return read_moment(made_at)
        found = [database.execute(f"SELECT max({column}) FROM {table}").fetchone()[0] for table, column in newest]  # noqa: S608
    return max((read_moment(one) for one in found if one), default=None)


def fill_empty_index(copy: Path) -> None:
    """Make the index of the search in a copy that came from PostgreSQL and has none."""
    engine = sa.create_engine(url_of(copy), poolclass=NullPool)
    with store_errors(str(copy)), engine.begin() as connection:
        if not sa.inspect(connection).has_table("listing_search"):
            return
        if not connection.scalar(sa.text("SELECT count(*) FROM listing_search")):
            fill_index(connection)


def url_of(path: Path) -> str:
    """Return the URL of an SQLite database."""
    return sa.URL.create("sqlite", database=str(path)).render_as_string()


def _opened(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE)


def _require_only_tables(database: sqlite3.Connection, shown: Path) -> None:
    """Raise a StoreError for a trigger or a view: whoever put it there could have it change what we write."""
    found = "SELECT type, name FROM sqlite_master WHERE type NOT IN ('table', 'index') LIMIT 1"
    for kind, name in database.execute(found):
        raise StoreError(f"{shown}: holds the {kind} {one_line(name)}, which no version of this program makes")


def _require_sound(database: sqlite3.Connection, shown: Path) -> None:
    [(said,), *_] = database.execute("PRAGMA integrity_check(1)").fetchall()
    if said != "ok":
        raise StoreError(f"{shown}: is damaged: {said}")
