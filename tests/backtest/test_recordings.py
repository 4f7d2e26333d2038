from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.backtest import Recordings
from newsletter.core.errors import SourceError, UsageError
from tests.backtest.recorded import FRIDAY, MONDAY, TUESDAY, a_week, record

MORNING = datetime(2026, 3, 9, 8, tzinfo=UTC)


async def votes(source: Recordings, now: datetime) -> list[int | None]:
    page = await source.read(MONDAY, now=now)
    return [entry.sighting.upvotes for entry in page.entries]


async def test_a_page_is_that_of_the_morning_until_its_day_is_over(tmp_path: Path) -> None:
    record(tmp_path, MONDAY, "morning", {1: 3, 2: 5})
    record(tmp_path, MONDAY, "final", {1: 30, 2: 5, 3: 9})
    source = Recordings(tmp_path)
    assert await votes(source, MORNING) == [5, 3]
    assert await votes(source, MORNING + timedelta(hours=15)) == [5, 3]
    assert await votes(source, MORNING + timedelta(days=1)) == [30, 9, 5]


async def test_a_day_may_lack_either_recording_or_both(tmp_path: Path) -> None:
    record(tmp_path, MONDAY, "final", {1: 30})
    record(tmp_path, TUESDAY, "morning", {2: 3})
    source = Recordings(tmp_path)
    assert await votes(source, MORNING) == []
    tuesday = await source.read(TUESDAY, now=MORNING + timedelta(days=9))
    assert [entry.listing.arxiv_id for entry in tuesday.entries] == ["2603.00002"]
    assert (await source.read(FRIDAY, now=MORNING)).entries == ()


def test_the_span_is_that_of_the_files(tmp_path: Path) -> None:
    a_week(tmp_path)
    for name in ("notes.json", "2026-03-01.json", "2026-02-31.final.json", "2026-01-01.noon.json"):
        (tmp_path / name).write_text("[]")
    source = Recordings(tmp_path)
    assert (source.first, source.last) == (MONDAY, FRIDAY + timedelta(days=2))


def test_a_folder_without_recordings_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no recordings: expected files such as"):
        Recordings(tmp_path)


@pytest.mark.parametrize(("text", "why"), [("{}", "not a list of papers"), ("[", "JSON"), ("", "JSON")])
async def test_a_recording_that_is_no_page_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / f"{MONDAY}.morning.json").write_text(text)
    with pytest.raises(SourceError, match=f"{MONDAY}.morning.json: .*{why}"):
        await Recordings(tmp_path).read(MONDAY, now=MORNING)


async def test_a_record_that_cannot_be_read_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / f"{MONDAY}.morning.json").write_text('[null, {"paper": {"id": "2603.00001", "title": "T"}}]')
    page = await Recordings(tmp_path).read(MONDAY, now=MORNING)
    assert [entry.listing.title for entry in page.entries] == ["T"]
    assert len(page.skipped) == 1
