"""Whoever is killed while a backup is made or restored leaves the old or the new, and nothing half."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from newsletter.settings import Settings, load
from tests.backups.conftest import sqlite_url
from tests.backups.test_restore import begun, within
from tests.store.samples import NOW, join, subscriber

# What changes names and files, and what opens a database: at each of them the process may die.
_STEPS = {"os.rename", "os.link", "os.remove", "os.truncate", "sqlite3.connect"}
_KILLED = 9


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Do something in a process that dies at a step of it; return whether it came so far."""
    child = os.fork()
    if child == 0:
        left = step

        def die(event: str, _: object) -> None:
            nonlocal left
            if event in _STEPS:
                left -= 1
                if left == 0:
                    os._exit(_KILLED)

        sys.addaudithook(die)
        code = 1
        try:
            act()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, _KILLED}
    return code == _KILLED


def readers(ledger: Path) -> int:
    with closing(sqlite3.connect(ledger)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(database.execute("SELECT count(*) FROM subscribers").fetchone()[0])


@pytest.fixture
async def settings(folder: Path) -> Settings:
    """Return the settings of a folder whose ledger has four readers, and whose backup knows three of them."""
    url = sqlite_url(folder / "var" / "newsletter.db")
    await within(url, begun)
    loaded = load()
    from newsletter.store.copies.files import copy_sqlite

    copy_sqlite(folder / "var" / "newsletter.db", folder / "copy.db")
    await within(url, lambda store: join(store, subscriber("-later")))
    return loaded


def test_a_backup_is_there_whole_or_not_at_all(settings: Settings, folder: Path) -> None:
    from newsletter.composition.backing_up import back_up

    def act() -> None:
        back_up(settings, folder / "new.db", now=NOW, replaces=True, keep=None, with_key=True)

    act()
    (folder / "new.db").unlink()
    step = 1
    while killed_at(step, act):
        assert not (folder / "new.db").exists() or readers(folder / "new.db") == 4
        assert readers(folder / "var" / "newsletter.db") == 4
        step += 1
    assert step > 5
    assert readers(folder / "new.db") == 4


def test_a_ledger_is_the_old_one_or_the_restored_one(settings: Settings, folder: Path) -> None:
    from newsletter.composition.restoring import restore

    ledger, seen, step = folder / "var" / "newsletter.db", [], 1

    def act() -> None:
        restore(settings, folder / "copy.db", assume_sent_until=NOW, now=NOW)

    while killed_at(step, act):
        seen.append(readers(ledger))
        if seen[-1] == 3:  # killed when all was done but tidying up
            break
        step += 1
    assert step > 8
    assert set(seen) <= {4, 3}
    assert readers(ledger) == 3
    [kept] = ledger.parent.glob("newsletter.db.replaced-*")
    assert readers(kept) == 4
