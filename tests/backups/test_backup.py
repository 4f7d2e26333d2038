"""`newsletter db backup`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.core.backup_names import named, outdated
from newsletter.core.diagnosis import Health
from newsletter.operations.doctor.backups import backups
from newsletter.ports import Backup
from newsletter.store import open_store
from newsletter.store.copies.files import copy_sqlite
from newsletter.store.copies.postgresql import copy_from_postgresql
from newsletter.store.migrate import create
from newsletter.store.tables import deliveries, delivery_events
from tests.backups.conftest import sqlite_url
from tests.cli.conftest import Call
from tests.store.samples import NOW, at, frozen, keys, paper, record


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as database:
        return database.execute(query).fetchall()


async def test_a_backup_of_either_engine_is_a_ledger_of_its_own_with_all_that_was_there(
    ledger: str, folder: Path, call: Call
) -> None:
    store = await open_store(ledger)
    await record(store, paper(1), paper(2))
    await frozen(store, 3)

    code, out, _ = await asyncio.to_thread(call, "db", "backup", "copies/papers-{date}.db", "--json")

    made = json.loads(out)
    file = folder / made["file"]
    assert code == 0
    assert made["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    copy = await open_store(sqlite_url(file))
    reached, made_at = await store.high_water.read(), datetime.fromisoformat(made["at"])
    assert await copy.high_water.read() == reached._replace(copied_at=made_at, place=str(file))
    assert await copy.outbox.records() == await store.outbox.records()
    assert await keys(copy) == await keys(store)
    newest = await store.backups.newest()
    assert newest is not None
    assert newest.file == str(file)
    for one in (store, copy):
        await one.close()
    assert rows(file, "SELECT content FROM kept_files") == [((folder / "var" / "secret_key").read_text(),)]


def test_a_file_that_is_there_is_replaced_only_by_force_and_older_ones_go_if_so_many_are_kept(
    folder: Path, call: Call
) -> None:
    call("db", "upgrade")
    for day in ("2026-01-03", "2026-01-04", "2026-01-05"):
        (folder / f"papers-{day}.db").write_text("old")
    (folder / "papers-of-ann.db").write_text("no backup")

    assert call("db", "backup", "once.db")[0] == 0
    code, out, err = call("db", "backup", "once.db")
    assert (code, out) == (2, "")
    assert "--force replaces it" in err
    assert call("db", "backup", "once.db", "--force", "--without-key")[0] == 0
    assert rows(folder / "once.db", "SELECT name FROM sqlite_master WHERE name = 'kept_files'") == []
    code, _, err = call("db", "backup", "once.db", "--keep", "2")
    assert code == 2
    assert "--keep needs {date}" in err

    code, out, _ = call("db", "backup", "papers-{date}.db", "--keep", "2")
    assert code == 0
    assert "2 older backups removed" in out
    kept = sorted(one.name for one in folder.glob("papers-*.db"))
    assert kept[0] == "papers-2026-01-05.db"
    assert kept[-1] == "papers-of-ann.db"
    assert len(kept) == 3


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("var/newsletter.db", "is the ledger itself"),
        (".env", "is no backup, so it is not replaced"),
        (".", "is a folder; write the name of a file in it"),
        ("var", "is a folder; write the name of a file in it"),
        ("papers-{day}.db", "{date} and {time} alone in braces"),
    ],
)
def test_nothing_but_a_backup_is_ever_replaced(folder: Path, call: Call, written: str, says: str) -> None:
    call("db", "upgrade")
    (folder / ".env").touch()
    before = (folder / "var" / "newsletter.db").stat().st_ino

    code, out, err = call("db", "backup", written, "--force")

    assert (code, out) == (2, "")
    assert err.startswith(f"newsletter: {written}: ")
    assert says in err
    assert (folder / "var" / "newsletter.db").stat().st_ino == before
    assert (folder / ".env").read_bytes() == b""


def test_a_folder_that_is_named_like_an_older_backup_stays(folder: Path, call: Call) -> None:
    call("db", "upgrade")
    (folder / "papers-2026-01-03.db").mkdir()

    assert call("db", "backup", "papers-{date}.db", "--keep", "1")[0] == 0

    assert (folder / "papers-2026-01-03.db").is_dir()


def test_without_a_ledger_or_into_no_folder_nothing_is_written(folder: Path, call: Call) -> None:
    code, _, err = call("db", "backup", "copy.db")
    assert code == 69
    assert "there is no ledger yet" in err
    call("db", "upgrade")
    (folder / "file").write_text("")
    code, _, err = call("db", "backup", "file/copy.db")
    assert code == 2
    assert "cannot be written" in err
    assert not (folder / "copy.db").exists()


def test_a_backup_of_a_ledger_of_an_older_version_leaves_that_as_it_is(folder: Path, call: Call) -> None:
    ledger = folder / "var" / "newsletter.db"
    made_by_older_version(ledger, "0022")

    assert call("db", "backup", "before.db")[0] == 0

    assert [rows(one, "SELECT version_num FROM alembic_version") for one in (ledger, folder / "before.db")] == [
        [("0022",)]
    ] * 2


def made_by_older_version(ledger: Path, revision: str) -> None:
    ledger.parent.mkdir()
    engine = sa.create_engine(sqlite_url(ledger))
    with engine.begin() as connection:
        create(connection, revision)
    engine.dispose()


@pytest.mark.parametrize("pattern", ["papers-{date}.db", "{date}T{time}-papers.db"])
def test_the_newest_of_a_pattern_are_kept(pattern: str) -> None:
    moments = [datetime(2026, 3, day, hour, tzinfo=UTC) for day in (1, 2, 10) for hour in (3, 20)]
    names = list(dict.fromkeys(named(pattern, moment) for moment in moments))

    left = set(names) - set(outdated(pattern, [*names, "papers-latest.db", f"{names[0]}.partial"], keep=2))

    assert left == set(names[-2:])


@pytest.mark.parametrize(
    ("age", "has_issues", "status"),
    [(None, False, Health.OK), (None, True, Health.WARN), (30, True, Health.OK), (8 * 24, True, Health.WARN)],
)
def test_the_doctor_warns_where_there_is_no_backup_of_the_last_week(
    age: int | None, status: Health, *, has_issues: bool
) -> None:
    newest = None if age is None else Backup(at=NOW - timedelta(hours=age), file="/srv/copy.db")

    found = backups(newest, has_issues=has_issues, now=NOW)

    assert found.status is status
    assert bool(found.do) is (status is Health.WARN)
    assert age is None or "/srv/copy.db" in found.says


async def test_what_another_process_is_just_writing_is_not_in_it_and_is_not_waited_for(
    url: str, tmp_path: Path
) -> None:
    store = await open_store(url)
    await frozen(store, 3)
    copy = tmp_path / "copy.db"
    copy.touch()
    async with at(url) as database, database.write() as writing:
        await writing.execute(sa.delete(delivery_events))
        await writing.execute(sa.delete(deliveries))
        if url.startswith("sqlite"):
            await asyncio.to_thread(copy_sqlite, tmp_path / "newsletter.db", copy)
        else:
            await asyncio.to_thread(copy_from_postgresql, url, copy, where="PostgreSQL")
    await store.close()

    assert rows(copy, "SELECT count(*) FROM deliveries") == [(3,)]
