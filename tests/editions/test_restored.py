"""A backup takes the ledger's place in the middle of a week: no reader gets a paper twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.core.newsletter_list import Cadence
from newsletter.store import open_store
from newsletter.store.copies.files import copy_sqlite
from tests.editions.desk import Desk

MONDAY = date(2026, 3, 9)
DAYS = [MONDAY + timedelta(days=ahead) for ahead in range(7)]


@pytest.mark.parametrize("goes_out_before_the_backup", [True, False])
async def test_no_reader_gets_a_paper_twice_after_mondays_backup_was_restored_on_wednesday(
    tmp_path: Path, *, goes_out_before_the_backup: bool
) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'newsletter.db'}")
    desk = Desk(tmp_path, store)
    desk.subscribe("ann")
    desk.subscribe("ben", cadence=Cadence.WEEKLY)
    if goes_out_before_the_backup:
        await desk.run(MONDAY)
        copy_sqlite(tmp_path / "newsletter.db", tmp_path / "copy.db")
    else:
        copied = desk.post.deliver_chunk

        async def copy_first(*words: object, **options: object) -> object:
            if not (tmp_path / "copy.db").exists():
                copy_sqlite(tmp_path / "newsletter.db", tmp_path / "copy.db")
            return await copied(*words, **options)  # type: ignore[arg-type]

        desk.post.deliver_chunk = copy_first  # type: ignore[method-assign, assignment]
        await desk.run(MONDAY)
    for day in DAYS[1:3]:
        await desk.run(day)
    before = list(desk.post.mails)
    await store.close()

    restored = await open_store(f"sqlite:///{tmp_path / 'copy.db'}")
    desk = Desk(tmp_path, restored, readers=desk.readers)
    desk.post.mails += before
    noon = datetime(2026, 3, 11, 12, tzinfo=UTC)
    await restored.restored.assume_sent(noon, now=noon)
    await desk.pipeline.mark.accept()
    await desk.run(DAYS[2], hour=13)
    await desk.tick_now()
    assert desk.post.mails == before
    for day in DAYS[3:]:
        await desk.run(day)

    for reader in ("ann", "ben"):
        papers = desk.papers(reader)
        assert len(papers) == len(set(papers))
    assert len(desk.mails("ann")) > len([mail for mail in before if mail.email == "ann@example.org"])
    assert set(await restored.outbox.counts(1)) >= {DeliveryState.SENT}
    assert await desk.alarms() == []
    await restored.close()
