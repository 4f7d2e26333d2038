from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.backtest import BacktestResult, Recordings, replayed
from newsletter.core.errors import SourceError
from newsletter.core.listing import Page
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.ports import Source
from tests.backtest.recorded import FRIDAY, MONDAY, TUESDAY, a_week, record
from tests.core.candidates import papers
from tests.services import shared

SATURDAY, NEXT_MONDAY = FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=3)


async def replay(folder: Path, list_: NewsletterList, first: date = MONDAY, last: date = FRIDAY) -> BacktestResult:
    return await replayed(list_, [Recordings(folder)], first=first, last=last)


async def test_without_a_limit_everything_is_mailed_and_nothing_twice(tmp_path: Path) -> None:
    a_week(tmp_path)
    result = await replay(tmp_path, papers())
    assert (result.listed, result.mailed, result.mailed_twice) == (60, 60, 0)
    assert [day.mailed for day in result.days] == [8, 12, 12, 12, 12]
    assert [day.late for day in result.days] == [0, 4, 4, 4, 4]


async def test_what_rose_behind_the_morning_is_in_the_next_issue(tmp_path: Path) -> None:
    a_week(tmp_path)
    result = await replay(tmp_path, papers(limit=10))
    assert [day.mailed for day in result.days] == [8, 10, 10, 10, 10]
    assert result.total("top5_same_day").share == pytest.approx(1 / 5)
    assert result.total("top5_next_issue").share == 1
    assert result.closing == NEXT_MONDAY


async def test_nothing_before_the_first_day_is_shown(tmp_path: Path) -> None:
    a_week(tmp_path)
    result = await replay(tmp_path, papers(), first=FRIDAY)
    assert [(day.day, day.mailed) for day in result.days] == [(FRIDAY, 8)]
    assert (result.listed, result.mailed) == (12, 12)


async def test_the_closing_issue_counts_for_papers_of_the_span_alone(tmp_path: Path) -> None:
    a_week(tmp_path)
    result = await replay(tmp_path, papers(), last=TUESDAY)
    assert (result.listed, result.mailed) == (24, 24)
    assert result.closing == date(2026, 3, 11)


async def test_days_without_papers_are_told_with_the_reason(tmp_path: Path) -> None:
    a_week(tmp_path)
    record(tmp_path, NEXT_MONDAY, "final", {})
    record(tmp_path, SATURDAY, "final", {901: 4})
    result = await replay(tmp_path, papers(), first=FRIDAY, last=NEXT_MONDAY + timedelta(days=1))
    assert [(day.day, day.reason) for day in result.days] == [
        (FRIDAY, ""),
        (SATURDAY, "no issue comes out on this day"),
        (NEXT_MONDAY, ""),
        (NEXT_MONDAY + timedelta(days=1), f"nothing new: no source lists anything on {date(2026, 3, 17)}"),
    ]
    assert result.mailed == result.listed == 13


async def test_a_weekly_list_has_one_issue(tmp_path: Path) -> None:
    a_week(tmp_path)
    result = await replay(tmp_path, papers(limit=20, cadence=Cadence.WEEKLY), last=NEXT_MONDAY)
    assert [day.mailed for day in result.days if day.mailed] == [8, 20]


@dataclass
class Failing:
    name: str = "feed:https://example.org/feed.xml"
    dated: bool = True

    async def read(self, day: date, *, now: datetime) -> Page:
        raise SourceError("example.org: no answer")


async def test_a_source_that_fails_or_keeps_no_past_costs_the_others_nothing(tmp_path: Path) -> None:
    a_week(tmp_path)
    sources: list[Source] = [Recordings(tmp_path), Failing(name="arxiv:cs.CL", dated=False)]
    result = await replayed(papers(), sources, first=MONDAY, last=FRIDAY)
    assert result.mailed == 60
    assert result.left_out == ("arxiv:cs.CL",)


async def test_when_nothing_can_be_read_the_reason_is_told() -> None:
    with pytest.raises(SourceError, match="no answer"):
        await replayed(papers(), [Failing()], first=MONDAY, last=MONDAY)


async def test_the_recorded_fortnight_is_covered() -> None:
    source = Recordings(shared("responses", "huggingface"))
    first, last = date(2025, 6, 2), date(2025, 6, 13)
    whole = await replayed(papers(), [source], first=first, last=last)
    assert whole.listed == whole.mailed > 400
    assert whole.mailed_twice == 0
    short = await replayed(papers(limit=20), [source], first=first, last=last)
    assert short.mailed_twice == 0
    assert short.total("top5_next_issue").share == 1
    assert short.total("top10_next_issue").share == 1
