"""How a database stands, found out without a change to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter.core.errors import StoreError
from newsletter.core.subscriber import Subscriber
from newsletter.operations.doctor.database import database
from newsletter.store import upgrade
from newsletter.store.engine import connect
from newsletter.store.looking import look_at
from newsletter.store.migrate import newest_revision
from tests.store.conftest import Opener
from tests.store.samples import join

NOW = datetime(2026, 3, 12, tzinfo=UTC)


async def test_a_database_tells_its_revision_its_time_and_the_zones_of_readers(url: str, opened: Opener) -> None:
    await upgrade(url)
    readers = [Subscriber(list="daily", email=f"{name}@example.org") for name in ("ann", "ben", "cy")]
    zones = [
        replace(one, timezone=zone) for one, zone in zip(readers, ("Asia/Tokyo", None, "Asia/Tokyo"), strict=True)
    ]
    await join(await opened(), *zones, now=NOW)

    state = await look_at(url)

    assert (state.is_there, state.revision, state.newest) == (True, newest_revision(), newest_revision())
    assert state.timezones == ("Asia/Tokyo",)
    assert (state.file is None) is (state.now is not None)
    if state.now is not None:
        assert abs(state.now - datetime.now(UTC)) < timedelta(minutes=5)
    assert [one.status.value for one in database(state)] == ["ok"]


@pytest.mark.parametrize(("revision", "words"), [("0022", "are of revision 0022"), ("9999", "a newer version")])
async def test_other_tables_than_this_versions_are_a_failure_and_stay_as_they_are(
    url: str, revision: str, words: str
) -> None:
    await upgrade(url)
    there = connect(url)
    async with there.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
    await there.close()
    for _ in range(2):
        [found] = database(await look_at(url))
        assert found.status.value == "fail"
        assert words in found.says


async def test_a_database_without_tables_is_told_by_its_kind(url: str) -> None:
    is_sqlite = url.startswith("sqlite")
    if not is_sqlite:
        there = connect(url)
        async with there.write() as connection:
            await connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
        await there.close()
    [found] = database(await look_at(url))
    assert found.status.value == ("ok" if is_sqlite else "fail")
    assert ("there is none yet" if is_sqlite else "has no tables yet") in found.says


async def test_what_is_not_there_is_not_made_and_what_cannot_be_reached_is_named(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "newsletter.db"
    assert not (await look_at(f"sqlite:///{file}")).is_there
    assert not file.parent.exists()
    with pytest.raises(StoreError, match=r"127\.0\.0\.1") as refused:
        await look_at("postgresql://papers:opensesame@127.0.0.1:9/papers")
    assert "opensesame" not in str(refused.value)
