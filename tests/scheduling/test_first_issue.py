"""The first issue of a list is known to be due before it goes out, so that somebody can be asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from newsletter.ports import Store
from newsletter.scheduling.first_issue import first_issues_due
from tests.pipeline.parts import THURSDAY, ScriptedSource, desk_with


async def test_a_list_s_first_issue_is_due_after_its_hour_until_it_is_made(tmp_path: Path, store: Store) -> None:
    desk = desk_with(tmp_path, store, ScriptedSource(pages={THURSDAY: ["A"]}))
    files = list(desk.load().values())
    hour = desk.now.replace(year=THURSDAY.year, month=THURSDAY.month, day=THURSDAY.day, hour=8, minute=0)
    assert await first_issues_due(store, files, now=hour - timedelta(hours=1)) == []
    assert await first_issues_due(store, files, now=hour + timedelta(hours=3)) == [("daily", 1)]
    await desk.run(THURSDAY)
    assert await first_issues_due(store, files, now=hour + timedelta(hours=3)) == []
