"""How databases are opened, shared and, if need be, refused."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from newsletter.core.errors import ConfigurationError, StoreError
from newsletter.store import open_store, upgrade
from newsletter.store.engine import Database
from newsletter.store.tables import issues
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import DAY, NOW, at, frozen, paper, record, suppressed


@pytest.mark.parametrize(
    "url", ["", "newsletter.db", "mysql://root:secret@localhost/x", "https://example.org", "://"]
)
async def test_a_url_of_no_known_database_is_a_configuration_error(url: str) -> None:
    for opening in (open_store, upgrade):
        with pytest.raises(ConfigurationError, match="NEWSLETTER_DATABASE__URL") as caught:
            await opening(url)
        assert "secret" not in str(caught.value)


async def test_a_relative_url_is_a_file_below_the_working_folder_made_with_its_folders(
    open_at: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = await open_at("sqlite:///var/state/newsletter.db")
    await frozen(store)

    again = await open_at("sqlite:///var/state/newsletter.db")
    assert await again.issues.last_number("daily") == 1
    file = tmp_path / "var/state/newsletter.db"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_database_in_memory_lives_as_long_as_it_is_open(open_at: Opener) -> None:
    store = await open_at("sqlite://")
    await asyncio.gather(*(record(store, paper(number)) for number in range(5)))
    await frozen(store, 3)
    assert len(await store.outbox.records()) == 3
    await store.close()

    other = await open_at("sqlite:///:memory:")
    assert await other.outbox.records() == []


async def test_sqlite_writes_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    await upgrade(f"sqlite:///{tmp_path}/newsletter.db")

    async with at(f"sqlite:///{tmp_path}/newsletter.db", patience=7) as database, database.write() as connection:
        settings = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 500}


async def test_a_transaction_that_need_not_be_durable_waits_for_no_disk_and_the_next_one_does(
    tmp_path: Path, postgres_url: str
) -> None:
    for url, setting, waits, waits_not in (
        (f"sqlite:///{tmp_path}/newsletter.db", "PRAGMA synchronous", 2, 1),
        (f"{postgres_url}&options=-csynchronous_commit%3Don", "SHOW synchronous_commit", "on", "off"),
    ):
        found = []
        async with at(url) as database:
            for durable in (True, False, True):
                async with database.write(durable=durable) as connection:
                    found.append((await connection.exec_driver_sql(setting)).scalar())
        assert found == [waits, waits_not, waits]


async def test_no_update_is_lost_among_400_at_once(open_at: Opener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    await upgrade(url)

    async def increment(database: Database) -> None:
        async with database.write() as connection:
            count = (await connection.scalars(sa.select(issues.c.candidates))).one()
            await connection.execute(sa.update(issues).values(candidates=count + 1))

    store = await open_at(url)
    before = (await frozen(store)).candidates
    async with at(url) as one, at(url) as two, at(url) as three, at(url) as four:
        await asyncio.gather(*(increment(database) for _ in range(100) for database in (one, two, three, four)))

    issue = await store.issues.find("daily", DAY)
    assert issue is not None
    assert issue.candidates == before + 400


async def test_suppressions_from_many_sides_at_once_all_count(open_at: Opener, url: str) -> None:
    stores = [await open_at(url) for _ in range(4)]

    news = await asyncio.gather(
        *(
            stores[number % 4].subscribers.suppress(
                f"{number % 100}@example.org", list_name=None, reason="", now=NOW
            )
            for number in range(200)
        )
    )

    assert sum(news) == 100
    assert len(await suppressed(stores[0], "daily")) == 100


async def test_readers_are_not_held_up_by_a_writer(open_at: Opener, url: str) -> None:
    store = await open_at(url)
    await record(store, paper(1))

    async with at(url) as other, other.write() as connection:
        await connection.exec_driver_sql("DELETE FROM sightings")
        found = await store.library.candidates(["huggingface"], since=DAY, until=DAY)

    assert len(found) == 1


async def test_a_database_that_another_process_holds_for_too_long_is_named(
    open_at: Opener, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    store = await open_at(url, patience=0.05)
    holder = sqlite3.connect(tmp_path / "newsletter.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError) as caught:
        await record(store, paper(1))

    assert str(caught.value) == (
        f"SQLite database {tmp_path}/newsletter.db: database is locked; another process is writing to it, "
        "run again later"
    )
    holder.close()
    assert (await record(store, paper(1))).new == 1


async def test_a_table_that_another_session_holds_for_too_long_is_waited_for_no_longer(
    open_at: Opener, postgres_url: str
) -> None:
    store = await open_at(postgres_url, patience=0.5)
    with psycopg.connect(postgres_url) as holder:
        holder.execute("LOCK TABLE listings")

        with pytest.raises(StoreError) as caught:
            await record(store, paper(1))

    assert str(caught.value).startswith("PostgreSQL database ")
    assert str(caught.value).endswith(
        ": canceling statement due to lock timeout; another process is writing to it, run again later"
    )
    assert (await record(store, paper(1))).new == 1


async def test_a_file_that_is_no_database_is_named(open_at: Opener, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("This is not a database, and longer than a hundred bytes. " * 3)

    with pytest.raises(StoreError, match=r"notes\.txt: file is not a database; .* NEWSLETTER_DATABASE__URL$"):
        await open_at(f"sqlite:///{tmp_path}/notes.txt")


async def test_a_folder_that_cannot_be_made_is_named(open_at: Opener, tmp_path: Path) -> None:
    (tmp_path / "var").touch()

    with pytest.raises(
        StoreError, match=r"SQLite database .*/var/newsletter\.db: .*; check NEWSLETTER_DATABASE__URL"
    ):
        await open_at(f"sqlite:///{tmp_path}/var/newsletter.db")


async def test_a_folder_in_place_of_the_file_is_named(open_at: Opener, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"unable to open database file; check NEWSLETTER_DATABASE__URL"):
        await open_at(f"sqlite:///{tmp_path}")


async def test_a_server_that_cannot_be_reached_is_named_without_the_password() -> None:
    url = "postgresql://newsletter:secret@127.0.0.1:1/papers"
    for opening in (open_store, upgrade):
        with pytest.raises(StoreError, match=r"PostgreSQL database papers at 127\.0\.0\.1: .*refused") as caught:
            await opening(url)
        assert "secret" not in str(caught.value)
        assert "\n" not in str(caught.value)


async def test_a_server_of_no_known_name_is_a_setting_to_check() -> None:
    with pytest.raises(StoreError, match=r"nowhere\.invalid.*; check NEWSLETTER_DATABASE__URL"):
        await open_store("postgresql://newsletter@nowhere.invalid/papers")


async def test_a_database_that_a_server_does_not_have_is_a_setting_to_check(postgres_url: str) -> None:
    absent = postgres_url.replace("/newsletter?", "/absent?").replace("postgres@", "postgres:secret@")
    for opening in (open_store, upgrade):
        with pytest.raises(StoreError, match=r"absent.* does not exist; check NEWSLETTER_DATABASE__URL") as caught:
            await opening(absent)
        assert "secret" not in str(caught.value)


async def test_a_postgresql_database_without_tables_is_told_how_to_get_them(
    open_at: Opener, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP TABLE alembic_version")

    with pytest.raises(StoreError, match="run `newsletter db upgrade`"):
        await open_at(postgres_url)


async def test_a_worker_whose_session_was_lost_goes_on_by_its_name(open_at: Opener, postgres_url: str) -> None:
    store = await open_at(postgres_url)
    await frozen(store, 2)
    async with store.outbox.worker() as worker:
        assert len(await claim(store.outbox, worker, now=NOW, limit=1)) == 1
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            )

        assert len(await claim(store.outbox, worker, now=NOW, limit=1)) == 1
    assert await store.outbox.dead_workers() == [worker]
