"""`newsletter db restore`: what the backup does not know is decided, and what readers did since is kept."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from shutil import copy, rmtree
from typing import Any

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.erasure import AddressHashes
from newsletter.core.errors import StoreError
from newsletter.core.full_text import read_query
from newsletter.core.subscriber import Origin, SubscriberStatus, Wishes
from newsletter.ports import Store
from newsletter.store import open_store
from newsletter.store.copies.numbers import GAP
from newsletter.store.in_use import alone_with
from newsletter.store.migrate import newest_revision
from tests.backups.conftest import sqlite_url
from tests.backups.test_backup import made_by_older_version
from tests.cli.conftest import Call
from tests.store.samples import NOW, frozen, join, keys, of_list, paper, record, subscriber

FIRST, THIRD = 1, 3  # the numbers of reader0 and reader2

Act = Callable[[Store], Awaitable[Any]]


async def within(url: str, act: Act, **options: Any) -> Any:
    store = await open_store(url, **options)
    try:
        return await act(store)
    finally:
        await store.close()


async def begun(store: Store) -> None:
    """Let there be papers, and an issue that three readers are to get."""
    await record(store, paper(1), paper(2))
    await frozen(store, 3)


async def command(call: Call, *words: str) -> Any:
    """Run a command in a thread of its own, as it has an event loop of its own; return what it printed as JSON."""
    code, out, err = await asyncio.to_thread(call, *words, "--json")
    assert code == 0, err
    return json.loads(out)


async def states(store: Store) -> list[DeliveryState]:
    return [one.state for one in await store.outbox.records()]


async def test_what_was_due_since_the_backup_counts_as_sent_and_what_readers_did_is_kept(
    ledger: str, folder: Path, call: Call
) -> None:
    await within(ledger, begun)
    made = await command(call, "db", "backup", "copy.db")
    hashes = AddressHashes(((folder / "var" / "secret_key").read_text(),))

    async def since(store: Store) -> None:
        await store.high_water.advance()
        await store.subscribers.leave(FIRST, reason="unsubscribed", now=NOW)
        await store.personal_data.erase("reader1@example.org", now=NOW)
        await store.address_changes.ask(THIRD, "moved@example.org", now=NOW)
        [change] = await store.address_changes.to_confirm(now=NOW)
        await store.address_changes.move(change.key, now=NOW)
        await store.subscribers.change_wishes(THIRD, lambda _: Wishes(name="Third", topics=("one",)), now=NOW)
        await join(store, subscriber("-new", origin=Origin.WEB), subscriber("-file", origin=Origin.FILE))

    await within(ledger, since, hashes=hashes)
    done = await command(call, "db", "restore", made["file"], "--assume-sent-until", "now")

    async def look(store: Store) -> None:
        known = {one.email: one.status for one in await of_list(store)}
        assert [one.topics for one in await of_list(store) if one.name == "Third"] == [("one",)]
        assert known == {
            "": SubscriberStatus.REMOVED,
            "reader0@example.org": SubscriberStatus.UNSUBSCRIBED,
            "moved@example.org": SubscriberStatus.ACTIVE,
            "reader-new@example.org": SubscriberStatus.ACTIVE,
        }
        assert set(await states(store)) == {DeliveryState.SENT}
        assert await store.personal_data.erased_since("reader1@example.org") is not None
        assert len(await keys(store)) == 2

    await within(ledger, look, hashes=hashes)
    assert done["counted"] == 3
    assert done["carried"] == {"suppressions": 2, "erased": 1, "readers": 2}
    assert (await within(sqlite_url(Path(done["replaced"])), states)) != []


def test_what_the_backup_does_not_know_is_asked_for(folder: Path, call: Call) -> None:
    call("db", "upgrade")
    call("db", "backup", "copy.db")
    before = (folder / "var" / "newsletter.db").read_bytes()

    for words, said in {
        (): "--assume-sent-until now",
        ("--assume-sent-until", "now", "--nothing-was-sent"): "write one of them",
        ("--assume-sent-until", "2999-01-01"): "lies in the future",
        ("--assume-sent-until", "yesterday"): "write now, or a moment",
    }.items():
        code, out, err = call("db", "restore", "copy.db", *words)
        assert (code, out) == (2, "")
        assert said in " ".join(err.replace("│", " ").split())
    assert (folder / "var" / "newsletter.db").read_bytes() == before


async def test_what_is_no_sound_backup_or_a_newer_ones_is_refused_and_nothing_changes(
    folder: Path, call: Call
) -> None:
    ledger = sqlite_url(folder / "var" / "newsletter.db")
    await within(ledger, begun)
    await command(call, "db", "backup", "copy.db")
    whole = (folder / "copy.db").read_bytes()
    (folder / "cut.db").write_bytes(whole[: len(whole) // 2])
    (folder / "text.db").write_text("no database")
    (folder / "newer.db").write_bytes(whole)
    (folder / "other.db").touch()
    (folder / "acting.db").write_bytes(whole)
    with closing(sqlite3.connect(folder / "acting.db")) as acting:
        acting.execute("CREATE TRIGGER again AFTER UPDATE ON deliveries BEGIN DELETE FROM suppressions; END")
        acting.commit()
    with closing(sqlite3.connect(folder / "newer.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
        newer.commit()

    for name, said in {
        "cut.db": "malformed; it is damaged: go on with a sound backup",
        "text.db": "not a database",
        "newer.db": "revision 9999",
        "other.db": "no ledger",
        "acting.db": "holds the trigger again",
        "none.db": "there is no such file",
    }.items():
        code, _, err = await asyncio.to_thread(call, "db", "restore", name, "--nothing-was-sent")
        assert code in {2, 69}
        assert said in err
    assert await within(ledger, states) == [DeliveryState.QUEUED] * 3
    assert {one.name for one in (folder / "var").iterdir()} <= {
        "newsletter.db",
        "newsletter.db.workers",
        "secret_key",
    }


async def test_while_the_ledger_is_in_use_nothing_takes_its_place_and_meanwhile_nobody_opens_it(
    ledger: str, folder: Path, call: Call
) -> None:
    store = await open_store(ledger)
    await begun(store)
    await command(call, "db", "backup", "copy.db")
    await store.high_water.read()

    code, _, err = await asyncio.to_thread(call, "db", "restore", "copy.db", "--nothing-was-sent")

    assert code == 69
    assert "stop `newsletter serve`" in err
    await store.close()
    assert (await command(call, "db", "restore", "copy.db", "--nothing-was-sent"))["counted"] == 0
    assert await within(ledger, states) == [DeliveryState.QUEUED] * 3
    file = folder / "var" / "newsletter.db"
    if file.exists():
        with alone_with(file), pytest.raises(StoreError, match="being restored"):
            await open_store(ledger)


async def test_on_a_new_machine_the_key_comes_with_the_backup_and_no_number_is_given_again(
    folder: Path, call: Call
) -> None:
    ledger = folder / "var" / "newsletter.db"
    await within(sqlite_url(ledger), begun)
    await command(call, "db", "backup", "copy.db")
    key = (folder / "var" / "secret_key").read_text()
    rmtree(folder / "var")
    code, *_ = await asyncio.to_thread(call, "suppressions", "add", "gone@example.org")  # makes a ledger and a key
    assert code == 0
    assert (folder / "var" / "secret_key").read_text() != key
    with closing(sqlite3.connect(ledger)) as made:  # tests make all of theirs from one
        made.execute("UPDATE ledger SET id = 'another'")
        made.commit()

    done = await command(call, "db", "restore", "copy.db", "--assume-sent-until", "now")

    assert (folder / "var" / "secret_key").read_text() == key
    assert "the key of the backup" in done["key"]

    async def joined(store: Store) -> int:
        await join(store, subscriber("-later"))
        return (await store.outbox.records())[-1].key

    assert await within(sqlite_url(ledger), joined) > GAP
    with closing(sqlite3.connect(ledger)) as database:
        assert database.execute("SELECT max(key) > ? FROM subscribers", (GAP,)).fetchone() == (1,)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("SELECT name FROM sqlite_master WHERE name = 'kept_files'").fetchall() == []


async def test_a_damaged_ledger_is_replaced_too_and_it_is_said_who_is_on_the_list_again(
    folder: Path, call: Call
) -> None:
    ledger = folder / "var" / "newsletter.db"
    await within(sqlite_url(ledger), begun)
    await command(call, "db", "backup", "copy.db")
    ledger.write_bytes(b"damaged" * 1000)

    code, out, err = await asyncio.to_thread(
        call, "db", "restore", "copy.db", "--assume-sent-until", "2026-01-01T00:00"
    )

    assert code == 0, err
    assert "who left since the backup was made is on the list again" in out
    assert await within(sqlite_url(ledger), states) == [DeliveryState.QUEUED] * 3  # they were due later


@pytest.mark.parametrize(("made_of", "into"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
async def test_a_backup_of_one_engine_can_be_restored_into_the_other(
    made_of: str, into: str, folder: Path, call: Call, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls = {"sqlite": sqlite_url(folder / "var" / "newsletter.db"), "postgresql": postgres_url}
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", urls[made_of])
    await within(urls[made_of], begun)
    await command(call, "db", "backup", "copy.db")
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", urls[into])

    await command(call, "db", "restore", "copy.db", "--nothing-was-sent")

    async def look(store: Store) -> None:
        assert await states(store) == [DeliveryState.QUEUED] * 3
        assert len((await store.papers.search(read_query("nature"), limit=9)).keys) == 2
        assert (await store.high_water.read()).copied_at is None
        await frozen(store, 1, day=date(2026, 3, 3), number=2)  # numbers go on

    await within(urls[into], look)


def test_a_backup_that_is_put_in_the_place_by_hand_is_noticed_and_old_rows_are_removed_by_a_run(
    folder: Path, call: Call
) -> None:
    (folder / "subscribers" / "papers-2026-03-02.jsonl").write_text("")
    ledger = folder / "var" / "newsletter.db"
    call("db", "upgrade")
    call("db", "backup", "copy.db")
    rmtree(folder / "var")
    ledger.parent.mkdir()
    copy(folder / "copy.db", ledger)

    for words in (("run",), ("serve",)):
        code, out, err = call(*words)
        assert (code, out) == (78, "")
        assert "the database is a backup of" in err
        assert "accept-restored --assume-sent-until now" in err
    code, out, _ = call("issues", "accept-restored", "--assume-sent-until", "now", "--json")
    assert (code, json.loads(out)) == (0, {"accepted": True})
    assert call("run")[0] in {0, 69}
    with closing(sqlite3.connect(ledger)) as database:
        [(copied_at, assumed_until, tidied_at)] = database.execute(
            "SELECT copied_at, assumed_until, tidied_at FROM ledger"
        ).fetchall()
    assert copied_at is None
    assert assumed_until < tidied_at


def test_a_backup_of_the_first_version_is_brought_up_to_date_and_who_left_since_stays_out(
    folder: Path, call: Call
) -> None:
    ledger = folder / "var" / "newsletter.db"
    made_by_older_version(ledger, "0001")
    with closing(sqlite3.connect(ledger)) as database:
        database.execute("""
            INSERT INTO subscribers
            (list, address_key, email, name, topics, interest, status, origin, created_at, updated_at)
            VALUES ('daily', 'ann@lab.example', 'ann@lab.example', '', '[]', '', 'active', 'web', '2026', '2026')
        """)
        database.commit()
    assert call("db", "backup", "copy.db")[0] == 0
    with closing(sqlite3.connect(ledger)) as database:
        database.execute("INSERT INTO suppressions VALUES ('ann@lab.example', 'daily', 'left', '2026-01-02')")
        database.commit()

    code, out, err = call("db", "restore", "copy.db", "--assume-sent-until", "now", "--json")

    assert code == 0, err
    assert json.loads(out)["carried"] == {"suppressions": 1, "erased": 0, "readers": 0}
    with closing(sqlite3.connect(ledger)) as database:
        assert database.execute("SELECT status FROM subscribers").fetchall() == [("unsubscribed",)]
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest_revision(),)]
