"""Tables of new SQLite databases, copied from a database for which all migrations ran once in this process.

They take a tenth of a second, and thousands of tests begin with an empty database. Only what `open_store` makes
is a copy; `newsletter.store.upgrade`, as tests of migrations call it, runs them each time.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from newsletter import store
from newsletter.store import sqlite_file
from newsletter.store.engine import PATIENCE
from newsletter.store.migrate import create, upgrade

# What a file says of its journal (https://www.sqlite.org/fileformat.html, 1.3.3).
_WAL = b"\2\2"


@pytest.fixture(scope="session", autouse=True)
def made_tables() -> Iterator[None]:
    """Let the tests of this process copy tables."""
    with copied_tables():
        yield


@contextmanager
def copied_tables() -> Iterator[None]:
    """Let `open_store` copy the tables of an SQLite database that is new."""
    with closing(_migrated()) as original, pytest.MonkeyPatch.context() as patch:

        def fill(connection: Connection) -> None:
            driver: Any = connection.connection.dbapi_connection
            driver.run_async(lambda opened: opened.with_cursor(copy))

        def copy(cursor: sqlite3.Cursor) -> None:
            cursor.connection.commit()  # nothing is copied into a transaction
            original.backup(cursor.connection)
            cursor.connection.execute("UPDATE ledger SET id = ?", (secrets.token_hex(len(name) // 2),)).close()

        async def make(url: str, *, patience: float = PATIENCE) -> None:
            path = sqlite_file(url)
            own = secrets.token_hex(len(name) // 2).encode()
            if path is None or not _put(path, image.replace(name, own)):
                await upgrade(url, patience=patience)

        name = original.execute("SELECT id FROM ledger").fetchone()[0].encode()  # by which each is another one
        image = bytearray(original.serialize())
        image[18:20] = _WAL
        patch.setattr(store, "create", fill)
        patch.setattr(store, "upgrade", make)
        yield


def _migrated() -> sqlite3.Connection:
    """Return a database in memory that has all tables."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=sa.StaticPool)
    with engine.begin() as opened:
        create(opened)
    return connection


def _put(path: Path, image: bytes | bytearray) -> bool:
    """Make a file, whole from its first moment on; return whether it could be made, and was not there."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.touch(mode=0o600, exist_ok=False)
        new.write_bytes(image)
        try:
            os.link(new, path)
        finally:
            new.unlink()
    except OSError:
        return False
    return True
