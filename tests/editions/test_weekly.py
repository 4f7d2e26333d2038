from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from newsletter.cli.exits import Exit, code_of_run
from newsletter.core.newsletter_list import Cadence
from newsletter.core.subscriber import Wishes
from newsletter.core.topics import Topic, TopicsMode
from newsletter.pipeline.report import RunReport, RunStatus
from newsletter.ports import Store
from tests.backtest.recorded import FRIDAY, MONDAY, TUESDAY
from tests.editions.desk import LIST, Desk
from tests.store.samples import key_of

NEXT_MONDAY = MONDAY + timedelta(days=7)
THURSDAY = FRIDAY - timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path, store: Store) -> Desk:
    return Desk(tmp_path, store)


async def week(desk: Desk, first: date = TUESDAY, last: date = NEXT_MONDAY) -> RunReport:
    """Run every day, and return the last report."""
    for offset in range((last - first).days):
        await desk.run(first + timedelta(days=offset))
    return await desk.run(last)


async def test_a_weekly_reader_of_a_daily_list_gets_the_best_of_the_week(desk: Desk) -> None:
    desk.subscribe("daily")
    desk.subscribe("weekly", cadence=Cadence.WEEKLY)
    report = await week(desk)
    (mail,) = desk.mails("weekly")
    assert mail.papers == (412, 12, 112, 212, 312, 411)  # the best by final votes, then by day
    assert "The week: " in mail.subject
    assert [len(one.papers) for one in desk.mails("daily")] == [6, 6, 6, 6, 4]  # the last one is what came late
    assert len(set(desk.papers("daily"))) == 28
    assert report.weekly is not None
    assert report.as_json()["weekly"]["list"] == "daily.weekly"
    assert report.as_json()["weekly"]["issue"]["number"] == 1


async def test_on_other_days_there_is_no_word_of_it(desk: Desk) -> None:
    desk.subscribe("weekly", cadence=Cadence.WEEKLY)
    report = await week(desk, last=FRIDAY)
    assert report.weekly is None
    assert "weekly" not in report.as_json()
    assert desk.mails("weekly") == []
    assert report.status is RunStatus.NOTHING_NEW
    assert "1 of 1: wants a weekly issue, this one is daily" in report.reason
    assert await desk.store.issues.latest("daily") is None


async def test_where_nobody_wants_it_there_is_none(desk: Desk) -> None:
    desk.subscribe("daily")
    assert (await desk.run(MONDAY)).weekly is None
    assert await desk.store.issues.latest("daily.weekly") is None


async def test_the_day_can_be_chosen_and_a_day_on_request_is_no_other(desk: Desk) -> None:
    desk.list_ = replace(LIST, weekly_day=4)
    desk.subscribe("weekly", cadence=Cadence.WEEKLY)
    monday = await desk.run_now(naming=MONDAY)
    assert monday.weekly is None
    friday = await desk.run_now(naming=FRIDAY)
    assert friday.weekly is not None
    assert friday.weekly.status is RunStatus.SENT


async def test_a_second_run_sends_nothing_twice(desk: Desk) -> None:
    desk.subscribe("weekly", cadence=Cadence.WEEKLY)
    await week(desk)
    again = await desk.run(NEXT_MONDAY, hour=9)
    assert again.weekly is not None
    assert again.weekly.sent_now == 0
    assert len(desk.mails("weekly")) == 1


async def test_who_changes_to_weekly_gets_no_paper_again(desk: Desk) -> None:
    desk.subscribe("ann")
    await week(desk, last=THURSDAY)
    had = desk.papers("ann")
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    await week(desk, first=FRIDAY)
    weekly = desk.mails("ann")[-1]
    assert "The week: " in weekly.subject
    assert weekly.papers
    assert not set(weekly.papers) & set(had)


async def test_who_changes_to_daily_gets_no_paper_again(desk: Desk) -> None:
    desk.list_ = replace(LIST, weekly_day=6)
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    desk.subscribe("bob")
    await week(desk, last=NEXT_MONDAY - timedelta(days=1))
    desk.subscribe("ann")
    await desk.run(NEXT_MONDAY)
    weekly, daily = desk.mails("ann")
    issue = set(desk.mails("bob")[-1].papers)
    assert issue & set(weekly.papers) == {411, 412}
    assert set(daily.papers) == issue - {411, 412}


@pytest.mark.parametrize("by_themselves", [False, True])
async def test_who_changes_to_daily_misses_nothing_since_their_last_weekly_issue(
    desk: Desk, *, by_themselves: bool
) -> None:
    desk.list_ = replace(LIST, max_listings=60)
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    desk.subscribe("bob")
    desk.subscribe("eve", cadence=Cadence.WEEKLY)
    await week(desk, first=MONDAY, last=THURSDAY - timedelta(days=1))
    if by_themselves:
        key = await key_of(desk.store, "daily", "ann@example.org")
        assert await desk.store.subscribers.change_wishes(key, lambda _: Wishes(), now=desk.now)
    else:
        desk.subscribe("ann")
    await desk.run(THURSDAY)
    weekly, daily = desk.mails("ann")
    assert "The week: " in weekly.subject
    assert set(desk.papers("ann")) == set(desk.papers("bob"))
    assert len(daily.papers) == len(set(daily.papers))
    await week(desk, first=FRIDAY)
    assert set(desk.papers("ann")) == set(desk.papers("bob"))  # nothing comes once more
    assert len(desk.papers("ann")) == len(set(desk.papers("ann")))


async def test_who_changes_to_weekly_misses_nothing_since_their_last_daily_issue(desk: Desk) -> None:
    desk.list_ = replace(LIST, max_listings=60, weekly_day=3)
    desk.subscribe("ann", days=(0,))
    desk.subscribe("bob", cadence=Cadence.WEEKLY)
    await week(desk, first=MONDAY, last=FRIDAY)
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    await week(desk, first=FRIDAY + timedelta(days=1), last=THURSDAY + timedelta(days=7))
    _, weekly = desk.mails("ann")
    assert "The week: " in weekly.subject
    assert set(desk.papers("ann")) == set(desk.papers("bob"))
    assert len(desk.papers("ann")) == len(set(desk.papers("ann")))


async def test_a_pause_over_a_weekly_issue_takes_nothing_away(desk: Desk) -> None:
    desk.list_ = replace(LIST, max_listings=60, weekly_day=3)
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    desk.subscribe("bob", cadence=Cadence.WEEKLY)
    await desk.run(MONDAY)
    key = await key_of(desk.store, "daily", "ann@example.org")
    pause = Wishes(cadence=Cadence.WEEKLY, paused_until=FRIDAY)
    assert await desk.store.subscribers.change_wishes(key, lambda _: pause, now=desk.now)
    await week(desk, last=THURSDAY + timedelta(days=7))
    [weekly] = desk.mails("ann")
    assert set(weekly.papers) == set(desk.papers("bob"))


async def test_where_nobody_changes_no_issue_holds_what_an_earlier_one_held(desk: Desk) -> None:
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    desk.subscribe("bob")
    await week(desk, first=MONDAY)
    for name in ("daily", "daily.weekly"):
        issue = await desk.store.issues.latest(name)
        assert issue
        assert issue.news == issue.listings


async def test_who_has_had_all_of_it_gets_no_mail_and_the_reason_is_kept(desk: Desk) -> None:
    desk.list_ = replace(LIST, max_listings=0)
    desk.subscribe("ann")
    await week(desk, last=FRIDAY)
    desk.subscribe("ann", cadence=Cadence.WEEKLY)
    desk.subscribe("bob")
    await week(desk, first=FRIDAY + timedelta(days=1), last=NEXT_MONDAY)
    weekly = [mail for mail in desk.mails("ann") if "The week: " in mail.subject]
    assert [mail.papers for mail in weekly] == [(412, 411, 410, 409)]  # what came late on Friday
    await week(desk, first=NEXT_MONDAY + timedelta(days=1), last=NEXT_MONDAY + timedelta(days=7))
    assert len(set(desk.papers("ann"))) == len(desk.papers("ann"))


async def test_the_scheduler_makes_it_too(desk: Desk) -> None:
    desk.list_ = replace(LIST, days=(1, 2, 3, 4), weekly_day=0)
    desk.subscribe("weekly", cadence=Cadence.WEEKLY)
    for offset in range(1, 8):
        await desk.tick(MONDAY + timedelta(days=offset))
    (mail,) = desk.mails("weekly")
    assert mail.papers[0] == 412


async def test_a_weekly_list_gives_its_readers_the_best_of_the_week(desk: Desk) -> None:
    weekly = replace(LIST.masthead, cadence=Cadence.WEEKLY)
    desk.list_ = replace(LIST, masthead=weekly, cadence=Cadence.WEEKLY)
    desk.subscribe("ann")
    desk.subscribe("bob", cadence=Cadence.DAILY)
    report = await week(desk)
    assert report.weekly is None
    (mail,) = desk.mails("ann")
    assert mail.papers == (412, 12, 112, 212, 312, 411)
    assert await desk.reasons("bob") == ["wants a daily issue, this one is weekly"]


async def test_a_reader_whose_choice_is_empty_gets_no_mail_that_day(desk: Desk) -> None:
    topics = {"two": Topic(name="two", keywords=("212",)), "none": Topic(name="none", keywords=("zebra",))}
    desk.list_ = replace(LIST, topics=topics)
    desk.subscribe("ann", topics=("two",), topics_mode=TopicsMode.ONLY)
    desk.subscribe("bob", topics=("none",), topics_mode=TopicsMode.ONLY)
    await week(desk, last=FRIDAY)
    assert desk.papers("ann") == [212]
    assert desk.mails("bob") == []
    assert await desk.reasons("bob") == ["nothing new in it for none"]  # on other days there was no issue at all


@pytest.mark.parametrize(
    ("daily", "weekly", "code"),
    [
        (RunStatus.SENT, RunStatus.SENT, Exit.DONE),
        (RunStatus.SENT, RunStatus.PARTIAL, Exit.TEMPORARY),
        (RunStatus.SENT, RunStatus.FAILED, Exit.TEMPORARY),
        (RunStatus.FAILED, RunStatus.FAILED, Exit.UNAVAILABLE),
    ],
)
def test_the_exit_code_is_of_both(daily: RunStatus, weekly: RunStatus, code: Exit) -> None:
    edition = RunReport(list="daily.weekly", date=MONDAY, status=weekly)
    assert code_of_run([RunReport(list="daily", date=MONDAY, status=daily, weekly=edition)]) is code
