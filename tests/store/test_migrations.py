from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from newsletter.core.choice import Choice
from newsletter.core.delivery import Planned
from newsletter.core.errors import StoreError
from newsletter.core.newsletter_list import Cadence, Masthead
from newsletter.core.subscriber import Subscriber
from newsletter.core.terms import Terms
from newsletter.store import migrate, upgrade
from newsletter.store.tables import metadata
from tests.claiming import claim
from tests.store.conftest import Opener
from tests.store.samples import DAY, NOW, at, draft, frozen, in_issue

_NOT_OURS = ("listing_search", "procrastinate_")  # no part of the metadata


def differences(connection: Connection) -> list[Any]:
    def is_known(name: str | None, kind: str, _: Any) -> bool:
        return kind != "table" or not str(name).startswith(_NOT_OURS)

    def is_made(item: Any, _name: str | None, kind: str, _reflected: object, _other: object) -> bool:
        condition = item._ddl_if if kind == "foreign_key_constraint" else None
        return condition is None or condition.dialect == connection.dialect.name

    opts = {
        "compare_type": True,
        "compare_server_default": True,
        "include_name": is_known,
        "include_object": is_made,
    }
    context = MigrationContext.configure(connection, opts=opts)
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables_that_the_program_works_with(url: str) -> None:
    await upgrade(url)

    async with at(url) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []


def test_the_newest_revision_is_the_one_that_alembic_would_go_to() -> None:
    assert migrate.newest_revision() == ScriptDirectory.from_config(migrate._config()).get_current_head()


async def test_the_comparison_would_notice_a_missing_index_or_column(url: str) -> None:
    await upgrade(url)

    async with at(url) as database, database.write() as connection:
        await connection.exec_driver_sql("DROP INDEX ix_deliveries_claimed_by")
        await connection.exec_driver_sql("ALTER TABLE readings DROP COLUMN error")
        found = await connection.run_sync(differences)

    assert {change[0] for change in found} == {"add_index", "add_column"}


async def test_an_upgrade_can_be_repeated_and_keeps_what_is_there(open_at: Opener, url: str) -> None:
    await upgrade(url)
    store = await open_at(url)
    await frozen(store, 2)

    await upgrade(url)

    assert len(await store.outbox.records()) == 2


async def test_processes_that_start_at_once_make_the_tables_once(open_at: Opener, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/newsletter.db"

    stores = await asyncio.gather(*(open_at(url) for _ in range(4)))

    assert [await store.issues.last_number("daily") for store in stores] == [0, 0, 0, 0]


async def test_tables_that_a_newer_version_made_are_left_alone(url: str) -> None:
    await upgrade(url)
    async with at(url) as database, database.write() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match="revision 9999, which this version of the program does not know"):
        await upgrade(url)


async def test_dangling_references_stop_an_upgrade(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newsletter.db"
    await upgrade(url)
    async with at(url, foreign_keys=False) as database, database.write() as connection:
        await connection.exec_driver_sql("INSERT INTO listing_ids VALUES ('title:one', 7)")

    with pytest.raises(StoreError, match="1 rows refer to rows that are not there"):
        await upgrade(url)


# A ledger as the version before `0006` left it: an issue of two papers and one that is weekly and empty.
FILLED = """
    INSERT INTO listings (key, record, first_seen_at, updated_at) VALUES
        (1, '{"title": "One"}', '2026-03-02 08:00:00.000000+00:00', '2026-03-02 08:00:00.000000+00:00'),
        (2, '{"title": "Two"}', '2026-03-02 08:00:00.000000+00:00', '2026-03-02 08:00:00.000000+00:00');
    INSERT INTO issues (key, list, day, number, subject, frozen_at, masthead, candidates) VALUES
        (7, 'daily', '2026-03-02', 1, 'Two papers', '2026-03-02 08:00:00.000000+00:00',
            '{"list": "daily", "title": "Größe", "sender": "Daily <daily@example.org>", "cadence": "daily"}', 2),
        (8, 'week', '2026-03-02', 1, 'No papers', '2026-03-02 08:00:00.000000+00:00',
            '{"list": "week", "title": "Week", "sender": "week@example.org", "cadence": "weekly"}', 0);
    INSERT INTO issue_listings (issue_key, rank, listing_key, record) VALUES
        (7, 1, 1, '{"key": 1, "rank": 1, "listing": {"title": "One"}, "listed_on": "2026-03-02"}'),
        (7, 2, 2, '{"key": 2, "rank": 2, "listing": {"title": "Two"}, "listed_on": "2026-03-02"}');
    INSERT INTO subscribers
        (key, list, address_key, email, name, topics, interest, status, origin, created_at, updated_at) VALUES
        (1, 'daily', 'ann@example.org', 'ann@example.org', '', '["one"]', '', 'active', 'file',
            '2026-03-02 08:00:00.000000+00:00', '2026-03-02 08:00:00.000000+00:00'),
        (2, 'daily', 'bob@example.org', 'bob@example.org', '', '[]', '', 'unsubscribed', 'file',
            '2026-03-02 08:00:00.000000+00:00', '2026-03-02 08:00:00.000000+00:00');
    INSERT INTO deliveries
        (key, issue_key, subscriber_key, email, state, due_at, ready_at, attempts, relay, text, reason, updated_at)
        VALUES
        (901, 7, 1, 'ann@example.org', 'queued', '2026-03-02 08:00:00.000000+00:00',
            '2026-03-02 08:00:00.000000+00:00', 0, '', '', '', '2026-03-02 08:00:00.000000+00:00'),
        (902, 7, 2, 'bob@example.org', 'withdrawn', '2026-03-02 08:00:00.000000+00:00',
            NULL, 0, '', '', 'suppressed: one click', '2026-03-02 08:00:00.000000+00:00');
"""


async def fill(url: str, revision: str = "0005", statements: str = FILLED) -> None:
    """Make the ledger of a version before: of a revision, with what these statements put into it."""
    if url.startswith("postgresql"):
        async with at(url) as database, database.write() as connection:
            await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            await connection.exec_driver_sql("CREATE SCHEMA public")

    def create(connection: Connection) -> None:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    async with at(url, foreign_keys=False) as database, database.write() as connection:
        await connection.run_sync(create)
        for statement in statements.split(";"):
            if statement.strip():
                await connection.exec_driver_sql(statement)


async def test_a_filled_ledger_of_the_version_before_goes_on(open_at: Opener, url: str) -> None:
    await fill(url)

    await upgrade(url)

    store = await open_at(url)
    issue, weekly = await store.issues.get(7), await store.issues.get(8)
    assert issue is not None
    assert weekly is not None
    assert issue.terms == Terms(
        masthead=Masthead(list="daily", title="Größe", sender="Daily <daily@example.org>"),
        stale_after=timedelta(hours=36),
    )
    assert (weekly.terms.cadence, weekly.terms.stale_after) == (Cadence.WEEKLY, timedelta(days=4))
    assert await store.issues.rendering(7) is None
    async with store.outbox.worker() as worker:
        [delivery] = await claim(store.outbox, worker, now=NOW, limit=9)
    assert (delivery.choice, delivery.subject) == (Choice((0, 1), ((), ())), "Two papers")
    assert await store.issues.chosen(7, "bob@example.org") == (Choice((0, 1), ((), ())), "Two papers")
    assert await store.outbox.suppressed_count(7) == 1
    async with at(url) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []


# A rendering of an issue, as the version before `0017` left it.
RENDERED = """
    INSERT INTO issues (key, list, day, number, subject, frozen_at, terms, candidates) VALUES
        (7, 'daily', '2026-03-02', 1, 'No papers', '2026-03-02 08:00:00.000000+00:00', '{}', 0);
    INSERT INTO renderings (issue_key, body) VALUES (7, 'as it was')
"""


async def test_renderings_from_before_are_in_the_language_of_their_list(url: str) -> None:
    await fill(url, "0013", RENDERED)
    await upgrade(url)
    async with at(url) as database, database.read() as connection:
        query = "SELECT issue_key, language, CAST(body AS text) FROM renderings"
        if database.is_postgresql:
            query = "SELECT issue_key, language, convert_from(body, 'UTF8') FROM renderings"
        assert [tuple(row) for row in await connection.exec_driver_sql(query)] == [(7, "", "as it was")]
        assert await connection.run_sync(differences) == []


async def test_what_was_sent_before_is_not_sent_again_after_the_upgrade(open_at: Opener, url: str) -> None:
    await fill(url)
    await upgrade(url)
    store = await open_at(url)
    seen: dict[str, frozenset[int]] = {}

    def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
        seen[reader.email] = had
        return Planned(due_at=NOW)

    again = draft(in_issue(1), in_issue(2, 2), day=DAY + timedelta(days=1), number=2)
    await store.issues.freeze(again, "Papers", plan, now=NOW)

    assert seen == {"ann@example.org": {1, 2}}  # bob has left
