"""What an issue is made of when sources fail, days go by without an issue, or runs meet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from structlog.testing import capture_logs

from newsletter.core.issue import Issue
from newsletter.pipeline.report import RunStatus
from tests.editions.desk import Desk
from tests.pipeline.parts import THURSDAY, MakeDesk, ScriptedSource

DAY = timedelta(days=1)


async def titles(desk: Desk, day: date) -> list[str]:
    issue: Issue | None = await desk.store.issues.find("daily", day)
    return [one.listing.title for one in issue.listings] if issue else []


async def test_a_page_that_fails_for_days_is_read_when_it_answers_again(desk_with: MakeDesk) -> None:
    friday, later = date(2026, 3, 6), THURSDAY
    source = ScriptedSource(pages={friday: ["Late News"], later: ["Today's Paper"]}, failing={friday})
    source.pages[friday - DAY] = ["An Earlier Paper"]
    desk = desk_with(source, lookback_days=1)
    await desk.run(friday - DAY)
    await desk.run(friday)
    for offset in range(3, 6):
        await desk.run(friday + offset * DAY)
    source.failing.clear()
    await desk.run(later)
    assert sorted(await titles(desk, later)) == ["Late News", "Today's Paper"]
    source.asked.clear()
    await desk.run(later + DAY)
    assert friday not in source.asked


async def test_papers_of_days_without_an_issue_have_not_missed_their_chance(desk_with: MakeDesk) -> None:
    monday = date(2026, 3, 9)
    source = ScriptedSource(pages={monday: ["A Lonely Paper"], THURSDAY: ["B", "C"]})
    desk = desk_with(source, lookback_days=1, min_listings=3)
    source.pages[monday - 3 * DAY] = ["X", "Y", "Z"]
    await desk.run(monday - 3 * DAY)
    for offset in range(3):
        report = await desk.run(monday + offset * DAY)
        assert (report.status, report.new) == (RunStatus.NOTHING_NEW, 1)
        assert "1" in report.reason
    report = await desk.run(THURSDAY)
    assert report.new == 3
    assert sorted(await titles(desk, THURSDAY)) == ["A Lonely Paper", "B", "C"]


@pytest.mark.parametrize("naming", [False, True], ids=["due", "named"])
@pytest.mark.parametrize("has_issue", [False, True], ids=["first", "later"])
async def test_papers_that_are_too_few_for_an_issue_wait_until_there_are_enough(
    desk_with: MakeDesk, *, has_issue: bool, naming: bool
) -> None:
    begin, most = THURSDAY - 27 * DAY, 5
    papers = {begin + 7 * week * DAY: [f"Of Week {week}"] for week in range(5)}
    source = ScriptedSource(pages=dict(papers))
    desk = desk_with(source, lookback_days=3, min_listings=most)
    if has_issue:
        source.pages[begin - DAY] = ["A", "B", "C", "D", "E"]
        await desk.run(begin - DAY)
        assert len(desk.post.mails) == 1
    for offset in range(29):
        desk.now = datetime.combine(begin + offset * DAY, time(8), UTC)
        await desk.run_now(naming=begin + offset * DAY if naming else None)
    assert await titles(desk, begin + 28 * DAY) == [f"Of Week {week}" for week in reversed(range(5))]


async def test_a_first_issue_of_enough_papers_looks_back_no_further_than_others(desk_with: MakeDesk) -> None:
    source = ScriptedSource(pages={THURSDAY - 9 * DAY: ["Old"], THURSDAY: ["A", "B"]})
    desk = desk_with(source, lookback_days=9, min_listings=2)
    desk.now = datetime.combine(THURSDAY, time(7), UTC)
    await desk.pipeline.collect(desk.list_, THURSDAY, now=desk.now)
    desk.list_ = replace(desk.list_, lookback_days=1)
    await desk.run(THURSDAY)
    assert sorted(await titles(desk, THURSDAY)) == ["A", "B"]


async def test_a_new_list_looks_back_as_its_file_says_though_more_is_known_and_what_waits_then_stays(
    desk_with: MakeDesk,
) -> None:
    source = ScriptedSource(pages={THURSDAY - 9 * DAY: ["Old", "Older"], THURSDAY: ["A"]})
    desk = desk_with(source, lookback_days=9, min_listings=3)
    desk.now = datetime.combine(THURSDAY, time(7), UTC)
    await desk.pipeline.collect(desk.list_, THURSDAY, now=desk.now)  # for another list of these sources
    desk.list_ = replace(desk.list_, lookback_days=1)
    assert (await desk.run(THURSDAY)).status is RunStatus.NOTHING_NEW
    for later in (5, 6):
        source.pages[THURSDAY + later * DAY] = [f"B{later}"]
        await desk.run(THURSDAY + later * DAY)
    assert sorted(await titles(desk, THURSDAY + 6 * DAY)) == ["A", "B5", "B6"]


async def test_papers_of_past_days_that_are_named_wait_for_the_first_issue_too(desk_with: MakeDesk) -> None:
    days = [THURSDAY - back * DAY for back in (20, 10, 0)]
    source = ScriptedSource(pages={day: [f"Of {day}"] for day in days})
    desk = desk_with(source, lookback_days=2, min_listings=3)
    desk.now = datetime.combine(THURSDAY + 100 * DAY, time(7), UTC)
    for day in days:
        await desk.run_now(naming=day)
    assert sorted(await titles(desk, THURSDAY)) == sorted(f"Of {day}" for day in days)


@pytest.mark.parametrize(
    ("back", "status"), [(20, RunStatus.NOT_DUE), (2, RunStatus.NOT_DUE), (1, RunStatus.MISSED)]
)
async def test_a_new_list_with_an_issue_of_the_past_has_missed_no_hour(
    desk_with: MakeDesk, back: int, status: RunStatus
) -> None:
    days = (THURSDAY - back * DAY, THURSDAY + DAY)
    source = ScriptedSource(pages={day: [f"Of {day}"] for day in days})
    desk = desk_with(source, deadline=timedelta(hours=3))
    desk.now = datetime.combine(THURSDAY, time(13), UTC)
    assert (await desk.run_now(naming=days[0])).status is RunStatus.SENT
    assert (await desk.run_now()).status is status
    with capture_logs() as logs:
        assert (await desk.run(THURSDAY + DAY)).status is RunStatus.SENT
    assert not [one for one in logs if one["event"] == "slots_missed"]


async def test_an_hour_before_an_issue_that_was_made_is_neither_missed_nor_caught_up(desk_with: MakeDesk) -> None:
    source = ScriptedSource(pages={THURSDAY: ["A Paper"]})
    source.pages[THURSDAY - 7 * DAY] = ["An Earlier Paper"]
    desk = desk_with(source, days=(3,))
    for day in (THURSDAY - 7 * DAY, THURSDAY):
        await desk.run(day)
    source.pages[THURSDAY - DAY] = ["A Late Paper"]
    source.pages[THURSDAY + DAY] = ["Another Paper"]
    for its_day in (
        2,
        1,
    ):  # the list comes out on another day of the week now
        desk.list_ = replace(desk.list_, days=(its_day,))
        for hour in (9, 23):
            report = await desk.run(THURSDAY, hour=hour)
            assert (report.status, report.trouble) == (RunStatus.NOT_DUE, None)
    assert await desk.store.issues.days("daily") == [THURSDAY - 7 * DAY, THURSDAY]
    await desk.run(THURSDAY + 5 * DAY)
    assert sorted(await titles(desk, THURSDAY + 5 * DAY)) == ["A Late Paper", "Another Paper"]


async def test_an_issue_that_was_made_ahead_of_its_day_leaves_the_days_before_it(desk_with: MakeDesk) -> None:
    source = ScriptedSource(pages={THURSDAY: ["A Paper"]})
    desk = desk_with(source, days=(3, 4))
    desk.now = datetime.combine(THURSDAY, time(7), UTC)
    await desk.run_now(naming=THURSDAY + DAY)
    source.pages[THURSDAY].append("A Paper of the Morning")
    await desk.run(THURSDAY)
    assert await titles(desk, THURSDAY) == ["A Paper of the Morning"]


async def test_a_source_with_a_defect_costs_the_others_nothing(desk_with: MakeDesk) -> None:
    sound = ScriptedSource(pages={THURSDAY: ["A Paper"]})
    desk = desk_with(ScriptedSource(name="feed:x", dated=False, broken=True), sound)
    report = await desk.run(THURSDAY)
    assert report.status is RunStatus.SENT
    assert "internal error" in report.failures["feed:x"]
    assert report.collected == {"feed": 0, "huggingface": 1}


async def test_a_source_that_keeps_failing_is_left_alone_until_the_next_run(desk_with: MakeDesk) -> None:
    source = ScriptedSource(failing={THURSDAY - offset * DAY for offset in range(9)})
    desk = desk_with(source, lookback_days=5)
    report = await desk.run(THURSDAY)
    assert report.status is RunStatus.FAILED
    assert source.asked == [THURSDAY, THURSDAY - DAY]
    assert await desk.store.library.unsettled("huggingface") == {THURSDAY - offset * DAY for offset in range(6)}


async def test_a_quiet_day_of_one_source_is_no_failure_because_another_one_fails(desk_with: MakeDesk) -> None:
    failing = ScriptedSource(name="feed:x", dated=False, failing={THURSDAY})
    report = await desk_with(ScriptedSource(), failing).run(THURSDAY)
    assert report.status is RunStatus.NOTHING_NEW
    assert "answered 500" in report.failures["feed:x"]


async def test_a_source_that_shows_no_past_is_asked_once(desk_with: MakeDesk) -> None:
    source = ScriptedSource(name="feed:x", dated=False, pages={THURSDAY: ["A Paper"]})
    desk = desk_with(source)
    await desk.run(THURSDAY)
    assert source.asked == [THURSDAY]


async def test_before_its_hour_a_list_is_not_due_but_collects(desk_with: MakeDesk) -> None:
    source = ScriptedSource(pages={THURSDAY: ["A Paper"]})
    desk = desk_with(source)
    report = await desk.run(THURSDAY, hour=7)
    assert report.status is RunStatus.NOT_DUE
    assert source.asked
    assert not desk.post.mails


async def test_issues_of_two_days_made_at_once_never_hold_the_same_paper(desk_with: MakeDesk) -> None:
    source = ScriptedSource(pages={THURSDAY - DAY: ["A", "B"], THURSDAY: ["B", "C"]})
    desk = desk_with(source)
    days = (THURSDAY - DAY, THURSDAY, THURSDAY + DAY)
    await asyncio.gather(*(desk.run_now(naming=day) for day in days))
    found = [title for day in days for title in await titles(desk, day)]
    assert sorted(found) == ["A", "B", "C"]


async def test_a_tick_asks_no_source_once_the_issue_is_made(desk_with: MakeDesk) -> None:
    source = ScriptedSource(pages={THURSDAY: ["A Paper"]})
    desk = desk_with(source)
    await desk.tick(THURSDAY)
    assert len(desk.mails("ann")) == 1
    source.asked.clear()
    await desk.tick(THURSDAY)
    assert not source.asked
    assert len(desk.mails("ann")) == 1


async def test_while_there_is_nothing_new_ticks_do_not_pester_the_source(desk_with: MakeDesk) -> None:
    source = ScriptedSource()
    desk = desk_with(source)
    await desk.tick(THURSDAY)
    asked = len(source.asked)
    assert asked
    for _ in range(5):
        await desk.tick(THURSDAY)
    assert len(source.asked) == asked
    source.pages[THURSDAY] = ["A Late Paper"]
    desk.now += timedelta(hours=1)
    await desk.tick_now()
    assert [mail.email for mail in desk.post.mails] == ["ann@example.org"]
