"""Readers with days of their own, or who pause, miss nothing for good, and nobody else notices them."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from newsletter.core.missed import by_score, places_of
from newsletter.core.steps import OTHER_DAY
from newsletter.core.subscriber import Wishes
from newsletter.pipeline.report import RunStatus
from newsletter.ports import Store
from newsletter.store import open_store
from tests.backtest.recorded import FRIDAY, MONDAY, TUESDAY
from tests.editions.desk import LIST, Desk, Mail
from tests.store.samples import instead, key_of

WEDNESDAY, THURSDAY = TUESDAY + timedelta(days=1), FRIDAY - timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path, store: Store) -> Desk:
    return Desk(tmp_path, store)


@pytest.fixture
def other_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    return folder


async def week(desk: Desk) -> None:
    """Run from Monday to Friday."""
    for offset in range(5):
        await desk.run(MONDAY + timedelta(days=offset))


async def alone(folder: Path) -> list[Mail]:
    """Return the mails of a week to a reader of a list that nobody else reads."""
    store = await open_store("sqlite://")
    try:
        desk = Desk(folder, store)
        desk.subscribe("daily")
        await week(desk)
        return desk.mails("daily")
    finally:
        await store.close()


async def test_what_was_missed_between_two_days_competes_by_rank_and_comes_once(
    desk: Desk, other_folder: Path
) -> None:
    desk.subscribe("daily")
    desk.subscribe("some", days=(0, 4))
    await week(desk)

    monday, friday = desk.mails("some")
    daily = desk.mails("daily")
    assert monday.papers == daily[0].papers
    between = {paper for mail in daily[1:4] for paper in mail.papers}
    assert between.intersection(friday.papers)  # the best of Tuesday to Thursday
    assert set(daily[4].papers).intersection(friday.papers)  # and of Friday
    assert not set(monday.papers).intersection(friday.papers)
    assert len(friday.papers) == LIST.max_listings
    assert daily == await alone(other_folder)


async def test_who_pauses_has_the_best_of_what_they_missed_in_the_first_issue_after_it(desk: Desk) -> None:
    desk.subscribe("daily")
    desk.subscribe("away")
    await desk.run(MONDAY)
    key = await key_of(desk.store, "daily", "away@example.org")
    assert await desk.store.subscribers.change_wishes(key, lambda _: Wishes(paused_until=THURSDAY), now=desk.now)
    for day in (TUESDAY, WEDNESDAY, THURSDAY, FRIDAY):
        await desk.run(day)

    monday, thursday, friday = desk.mails("away")
    missed = {paper for mail in desk.mails("daily")[1:3] for paper in mail.papers}
    assert missed.intersection(thursday.papers)
    assert friday.papers == desk.mails("daily")[4].papers  # what was not chosen then comes no more
    seen = (*monday.papers, *thursday.papers, *friday.papers)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("wishes", [Wishes(paused_until=FRIDAY), Wishes(days=(4,))])
async def test_who_takes_a_pause_or_days_back_has_missed_nothing(desk: Desk, wishes: Wishes) -> None:
    desk.list_ = replace(LIST, max_listings=30)
    desk.subscribe("daily")
    desk.subscribe("back")
    await desk.run(MONDAY)
    key = await key_of(desk.store, "daily", "back@example.org")
    for day, kept in ((TUESDAY, wishes), (WEDNESDAY, Wishes())):
        assert await desk.store.subscribers.change_wishes(key, instead(kept), now=desk.now)
        await desk.run(day)
    assert [mail.papers[0] for mail in desk.mails("back")] == [8, 112]
    assert set(desk.papers("back")) == set(desk.papers("daily"))


async def test_a_pause_that_begins_while_an_issue_waits_takes_nothing_away_for_good(desk: Desk) -> None:
    desk.list_ = replace(LIST, max_listings=30)
    desk.subscribe("daily")
    desk.subscribe("late", hour=time(20))
    await desk.run(MONDAY)
    key = await key_of(desk.store, "daily", "late@example.org")
    reader = await desk.store.subscribers.by_key(key)
    assert reader
    wishes = reader.wishes._replace(paused_until=TUESDAY)
    assert await desk.store.subscribers.change_wishes(key, lambda _: wishes, now=desk.now)
    await desk.run(MONDAY, hour=20)
    assert desk.mails("late") == []
    await desk.run(TUESDAY, hour=20)
    [mail] = desk.mails("late")
    assert set(desk.mails("daily")[0].papers) <= set(mail.papers)


async def test_where_it_is_nobodys_day_there_is_no_issue_and_its_papers_wait(desk: Desk) -> None:
    desk.subscribe("some", days=(4,))
    report = await desk.run(THURSDAY)
    assert (report.status, OTHER_DAY.reason in report.reason) == (RunStatus.NOTHING_NEW, True)
    assert await desk.store.issues.latest("daily") is None
    await desk.run(FRIDAY)
    assert len(desk.mails("some")) == 1


async def test_what_is_there_again_is_no_news_of_the_issue(desk: Desk) -> None:
    desk.subscribe("daily")
    desk.subscribe("some", days=(0, 4))
    await week(desk)
    issue = await desk.store.issues.latest("daily")
    assert issue
    assert 0 < len(issue.news) < len(issue.listings)
    assert [one.again for one in issue.listings] == sorted(one.again for one in issue.listings)
    assert issue.length <= len(issue.news)
    order = by_score(issue.listings)
    assert sorted(order) == list(range(len(issue.listings)))
    news = [position for position in order if not issue.listings[position].again]
    assert news == sorted(news)
    places = places_of(issue.listings)
    assert [places[position] for position in news] == [n / len(news) for n in range(len(news))]
    only_news = replace(issue, listings=issue.news).listings
    assert by_score(only_news) == list(range(len(only_news)))
