"""`newsletter db backup`."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from newsletter.store import open_store
from tests.backups.conftest import sqlite_url
from tests.cli.conftest import Call
from tests.store.samples import frozen, keys, paper, record


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
    assert await copy.high_water.read() == await store.high_water.read()
    assert await copy.outbox.records() == await store.outbox.records()
    assert await keys(copy) == await keys(store)
    newest = await store.backups.newest()
    assert newest is not None
    assert newest.file == str(file)
    for one in (store, copy):
        await one.close()
    assert rows(file, "SELECT content FROM kept_files") == [((folder / "var" / "secret_key").read_text(),)]
