"""A PostgreSQL server of the tests' own: a cluster in a temporary folder, reached by a socket in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from newsletter.scheduling.queue.tables import bring_up_to_date
from newsletter.store import conninfo_of, upgrade
from tests.services import missing

_NO_NETWORK = "-c listen_addresses=''"
# No test pulls the plug, so nothing has to reach the disk.
_FORGETFUL = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; its superuser `postgres` needs no password.

    `administration` are its connections that run statements about databases: one that stays, once it was needed.
    `copies` is the empty database that the test before left, if it left one that is as good as new.
    """

    folder: Path
    administration: list[psycopg.Connection] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)

    def url(self, database: str) -> str:
        """Return a database's URL."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def restart(self) -> None:
        """Stop it as a crash does, and start it again: it recovers from its log, and nobody's session survives."""
        data, log = self.folder / "data", self.folder / "log"
        _as_server(_programs() / "pg_ctl", "-D", data, "-l", log, "-m", "immediate", "-w", "restart")

    def run(self, statement: str, name: str, other: str = "") -> None:
        """Run a statement about databases; `{}` in it stand for their names."""
        if not self.administration:
            self.administration.append(psycopg.connect(self.url("postgres"), autocommit=True))
        names = [sql.Identifier(one) for one in (name, other) if one]
        self.administration[0].execute(sql.SQL(statement).format(*names))


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
        server = Server(folder)
        try:
            yield server
        finally:
            for connection in server.administration:
                connection.close()
            _as_server(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_TEMPLATE, _COPY = "template_newsletter", "newsletter"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for the whole session; skips where PostgreSQL is not installed."""
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Server) -> Server:
    """The PostgreSQL server, with a database that has all tables, from which tests get theirs."""
    postgres.run("CREATE DATABASE {}", _TEMPLATE)
    asyncio.run(_made(postgres.url(_TEMPLATE)))
    return postgres


async def _made(url: str) -> None:
    """Make all tables, those of the jobs too."""
    await upgrade(url)
    await bring_up_to_date(conninfo_of(url))


@pytest.fixture
def postgres_url(migrated_postgres: Server) -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is up to date."""
    left = migrated_postgres.copies
    copy = left.pop() if left else Copy.made_by(migrated_postgres)
    yield copy.url
    if copy.emptied():
        left.append(copy)
    else:
        migrated_postgres.run("DROP DATABASE {} WITH (FORCE)", _COPY)


# What tables there are, with their columns, constraints and the rest, and the revision of them all.
_MADE = """
    SELECT string_agg(one, ',' ORDER BY one) FROM (
        SELECT concat_ws(' ', 'class', oid, relname, relkind) AS one FROM pg_class WHERE relnamespace = here
        UNION ALL SELECT concat_ws(' ', 'column', attrelid, attnum, attname, atttypid, atttypmod, attnotnull)
            FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = here
        UNION ALL SELECT concat_ws(' ', 'default', oid, adbin) FROM pg_attrdef
        UNION ALL SELECT concat_ws(' ', 'constraint', oid, conname) FROM pg_constraint WHERE connamespace = here
        UNION ALL SELECT concat_ws(' ', 'trigger', oid, tgenabled) FROM pg_trigger
        UNION ALL SELECT concat_ws(' ', 'function', oid) FROM pg_proc WHERE pronamespace = here
        UNION ALL SELECT concat_ws(' ', 'revision', version_num) FROM alembic_version
    ) AS parts
""".replace("here", "'public'::regnamespace")


@dataclass(frozen=True, slots=True)
class Copy:
    """A database with all tables, for one test after the other: to empty it takes less than to make another.

    `made` is what tables it has, as `_MADE` tells it; `rows` what the migrations wrote into some of them.
    """

    url: str
    made: object
    rows: dict[str, bytes]

    @classmethod
    def made_by(cls, server: Server) -> Copy:
        """Make one."""
        server.run("CREATE DATABASE {} TEMPLATE {}", _COPY, _TEMPLATE)
        return cls.standing_at(server.url(_COPY))

    @classmethod
    def standing_at(cls, url: str) -> Copy:
        """Return the one that is there, to which nothing has happened yet."""
        with psycopg.connect(url, autocommit=True) as connection:
            rows = {table: _rows(connection, table) for table in _filled(connection)}
            assert not connection.execute(_USED_NUMBERS).fetchall()
            return cls(url, connection.execute(_MADE).fetchone(), rows)

    def emptied(self) -> bool:
        """Empty it and end all its connections; return whether it is as it was when it was made."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            try:
                if connection.execute(_MADE).fetchone() != self.made:
                    return False
            except psycopg.errors.UndefinedTable:
                return False
            filled = _filled(connection)
            kept = {table for table in filled & self.rows.keys() if _rows(connection, table) == self.rows[table]}
            if changed := (filled | self.rows.keys()) - kept:
                self._make_anew(connection, changed)
            connection.execute(_NUMBERS_ANEW)
            return True

    def _make_anew(self, connection: psycopg.Connection, tables: set[str]) -> None:
        """Let tables have the rows that they had; those of tables that refer to them are removed too."""
        names = sql.SQL(", ").join(map(sql.SQL, sorted(tables)))
        connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        filled = _filled(connection)
        for table, rows in self.rows.items():
            if table not in filled:
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.SQL(table))) as copy:
                    copy.write(rows)


_USED_NUMBERS = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
_NUMBERS_ANEW = (
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences"
    " WHERE last_value IS NOT NULL"
)


def _filled(connection: psycopg.Connection) -> set[str]:
    """Return the names of the tables that have rows, as they stand in SQL; but not that of their revision."""
    found = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    tables = [sql.Identifier(name) for (name,) in found]
    whole = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table.as_string()), table)
        for table in tables
    )
    return {name for (name,) in connection.execute(whole)}


def _rows(connection: psycopg.Connection, table: str) -> bytes:
    """Return the rows of a table, as COPY writes them."""
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.SQL(table))) as copy:
        return b"".join(bytes(one) for one in copy)
