"""A PostgreSQL server of the tests' own: a cluster in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.services import missing

_NO_NETWORK = "-c listen_addresses=''"
# No test pulls the plug, so nothing has to reach the disk.
_FORGETFUL = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; its superuser `postgres` needs no password."""

    folder: Path

    def url(self, database: str) -> str:
        """Return a database's URL."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def run(self, statement: str, name: str, other: str = "") -> None:
        """Run a statement about databases; `{}` in it stand for their names."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            names = [sql.Identifier(one) for one in (name, other) if one]
            connection.execute(sql.SQL(statement).format(*names))


def _programs() -> Path:
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if found := shutil.which("initdb"):
        places.insert(0, Path(found).parent)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    missing("PostgreSQL")
    raise AssertionError  # `missing` has ended the test


def _as_server(*command: str | Path) -> None:
    """Run a command as the server's own user; PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """Start a server, and stop and remove it at the end.

    Args:
        durable: commits wait for the disk, as they do by default; benches want that.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    try:
        _as_server(programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"{_NO_NETWORK} {'' if durable else _FORGETFUL} -c unix_socket_directories={folder}"
        _as_server(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield Server(folder)
        finally:
            _as_server(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for the whole session; skips where PostgreSQL is not installed."""
    with running() as server:
        yield server
