from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from newsletter.core.errors import StoreError
from newsletter.store import upgrade
from newsletter.store.tables import metadata
from tests.store.conftest import Opener
from tests.store.samples import at, frozen


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_migrations_make_the_tables_that_the_program_works_with(url: str) -> None:
    await upgrade(url)

    async with at(url) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_comparison_would_notice_a_missing_index_or_column(url: str) -> None:
    await upgrade(url)

    async with at(url) as database, database.write() as connection:
        await connection.exec_driver_sql("DROP INDEX ix_deliveries_ready_at_key")
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
