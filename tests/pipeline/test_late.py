"""Runs that come after a list's hour, and lists that have nobody to send to."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta

import pytest
from structlog.testing import capture_logs

from newsletter.core.delivery import Change, DeliveryState, begun
from newsletter.core.newsletter_list import Cadence
from newsletter.pipeline import run
from newsletter.pipeline.report import RunReport, RunStatus
from tests.editions.desk import Desk
from tests.pipeline.parts import THURSDAY, MakeDesk, ScriptedSource

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEDNESDAY = THURSDAY - DAY
AT_EIGHT = datetime.combine(THURSDAY, time(8), UTC)


def every_day() -> ScriptedSource:
    """Return a source with a paper a day."""
    days = [date(2026, 3, 1) + offset * DAY for offset in range(30)]
    return ScriptedSource(pages={day: [f"Paper of {day}"] for day in days})


async def settled(desk_with: MakeDesk, **wishes: object) -> Desk:
    """Return a desk whose list has sent its issue of Wednesday."""
    desk = desk_with(every_day(), **wishes)
    await desk.run(WEDNESDAY)
    assert len(desk.post.mails) == 1
    return desk


async def ran(desk: Desk, now: datetime) -> RunReport:
    desk.now = now
    return await desk.run_now()


@pytest.mark.parametrize(
    ("deadline", "late", "status"),
    [
        (None, 3 * HOUR, RunStatus.SENT),
        (None, 19 * HOUR, RunStatus.SENT),
        (22 * HOUR, 19 * HOUR, RunStatus.SENT),
        (3 * HOUR, 3 * HOUR, RunStatus.SENT),
        (3 * HOUR, 5 * HOUR, RunStatus.MISSED),
        (3 * HOUR, 23 * HOUR, RunStatus.MISSED),
        (9 * DAY, 23 * HOUR, RunStatus.SENT),
    ],
)
async def test_a_late_run_makes_the_issue_within_the_deadline_and_misses_it_after(
    desk_with: MakeDesk, deadline: timedelta | None, late: timedelta, status: RunStatus
) -> None:
    desk = await settled(desk_with, deadline=deadline)
    report = await ran(desk, AT_EIGHT + late)
    assert (report.status, report.date) == (status, THURSDAY)
    assert len(desk.post.mails) == 1 + (status is RunStatus.SENT)
    assert ("run --date 2026-03-12" in report.reason) is (status is RunStatus.MISSED)
    again = await ran(desk, AT_EIGHT + late)
    assert again.status is status
    assert len(desk.post.mails) == 1 + (status is RunStatus.SENT)


async def test_an_hour_of_friday_is_missed_all_weekend_and_its_papers_come_on_monday(desk_with: MakeDesk) -> None:
    desk = await settled(desk_with, deadline=3 * HOUR)
    await ran(desk, AT_EIGHT)
    for offset in (30, 48, 71):
        report = await ran(desk, AT_EIGHT + DAY + offset * HOUR)
        assert (report.status, report.date) == (RunStatus.MISSED, THURSDAY + DAY)
    report = await ran(desk, AT_EIGHT + 4 * DAY)
    assert report.status is RunStatus.SENT
    issue = await desk.store.issues.find("daily", THURSDAY + 4 * DAY)
    assert issue is not None
    assert "Paper of 2026-03-13" in {one.listing.title for one in issue.listings}


async def test_a_day_on_which_there_was_nothing_new_is_not_missed(desk_with: MakeDesk) -> None:
    desk = await settled(desk_with, lookback_days=0)
    desk.pipeline.sources_of(desk.list_)[0].pages[THURSDAY] = []  # type: ignore[attr-defined]
    assert (await ran(desk, AT_EIGHT)).status is RunStatus.NOTHING_NEW
    assert (await ran(desk, AT_EIGHT + 23 * HOUR)).status is RunStatus.NOT_DUE


async def test_an_hour_at_which_no_source_answered_is_caught_up_and_then_missed(desk_with: MakeDesk) -> None:
    desk = await settled(desk_with, lookback_days=0, deadline=5 * HOUR)
    source = desk.pipeline.sources_of(desk.list_)[0]
    source.failing.update({WEDNESDAY, THURSDAY})  # type: ignore[attr-defined]
    assert (await ran(desk, AT_EIGHT)).status is RunStatus.FAILED
    assert (await ran(desk, AT_EIGHT + 6 * HOUR)).status is RunStatus.MISSED
    source.failing.clear()  # type: ignore[attr-defined]
    assert (await ran(desk, AT_EIGHT + 4 * HOUR)).status is RunStatus.SENT


async def test_after_days_without_a_run_the_newest_issue_is_caught_up_and_the_others_are_logged(
    desk_with: MakeDesk,
) -> None:
    desk = await settled(desk_with)
    with capture_logs() as logs:
        report = await ran(desk, AT_EIGHT + 5 * DAY + HOUR)  # on Tuesday; the list has no days at the weekend
        await ran(desk, AT_EIGHT + 6 * DAY)
    assert (report.status, report.date) == (RunStatus.SENT, THURSDAY + 5 * DAY)
    missed = [log["days"] for log in logs if log["event"] == "slots_missed"]
    assert missed == [["2026-03-12", "2026-03-13", "2026-03-16"]]


async def test_a_weekly_list_is_caught_up_for_days(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day(), cadence=Cadence.WEEKLY, days=(3,))
    await desk.run_now(naming=THURSDAY - 7 * DAY)
    assert (await ran(desk, AT_EIGHT + 5 * DAY)).status is RunStatus.MISSED
    assert (await ran(desk, AT_EIGHT + 4 * DAY)).status is RunStatus.SENT


async def test_the_weekly_edition_is_missed_by_itself(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day(), weekly_day=3, deadline=6 * HOUR)
    desk.subscribe("bob", cadence=Cadence.WEEKLY)
    await ran(desk, AT_EIGHT - 7 * DAY)
    report = await ran(desk, AT_EIGHT + DAY)
    assert report.status is RunStatus.SENT
    assert report.weekly is not None
    assert (report.weekly.status, report.weekly.date) == (RunStatus.MISSED, THURSDAY)


async def test_a_new_list_sends_todays_issue_however_late_in_the_day_it_begins(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day(), hour=time(0))
    assert (await ran(desk, AT_EIGHT + 15 * HOUR)).status is RunStatus.SENT


async def test_a_new_list_has_missed_nothing_and_begins_with_its_next_hour(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day())
    for hours in (23, 23.5):  # on Friday, before eight
        assert (await ran(desk, AT_EIGHT + hours * HOUR)).status is RunStatus.NOT_DUE
    # A cron job that always comes nineteen hours after the hour makes its first issue on the second day.
    assert (await ran(desk, AT_EIGHT + DAY + 19 * HOUR)).status is RunStatus.SENT
    assert [mail.subject for mail in desk.post.mails] != []


async def test_a_new_list_with_a_short_deadline_waits_for_its_next_hour(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day(), deadline=3 * HOUR)
    report = await ran(desk, AT_EIGHT + 5 * HOUR)
    assert report.status is RunStatus.NOT_DUE
    assert "2026-03-13" in report.reason


async def test_a_reader_with_an_hour_of_their_own_gets_a_late_issue_at_once_or_at_that_hour(
    desk_with: MakeDesk,
) -> None:
    desk = await settled(desk_with)
    desk.subscribe("early", hour=time(9))
    desk.subscribe("late", hour=time(7, 30))
    await ran(desk, AT_EIGHT + 19 * HOUR)
    assert len(desk.mails("early")) == 1
    assert desk.mails("late") == []
    await ran(desk, AT_EIGHT + 23.5 * HOUR)
    assert len(desk.mails("late")) == 1


@pytest.mark.parametrize(
    ("deadline", "late"),
    [
        *((None, late) for late in (0, 3, 19, 23, 71)),
        *((3 * HOUR, late) for late in (3, 4, 60)),
        *((48 * HOUR, late) for late in (37, 60)),
    ],
)
async def test_a_tick_does_what_a_run_does(
    desk_with: MakeDesk, other_desk_with: MakeDesk, deadline: timedelta | None, late: int
) -> None:
    by_run, by_tick = [
        await settled(make, days=(2, 3), deadline=deadline) for make in (desk_with, other_desk_with)
    ]
    report = await ran(by_run, AT_EIGHT + late * HOUR)
    by_tick.now = AT_EIGHT + late * HOUR
    await by_tick.tick_now()
    assert await by_tick.alarms() == ["2026-03-12.daily.missed"] * (report.status is RunStatus.MISSED)
    assert len(by_tick.post.mails) == len(by_run.post.mails)


async def test_ticks_report_a_missed_hour_once(desk_with: MakeDesk) -> None:
    desk = await settled(desk_with, deadline=3 * HOUR)
    desk.now = AT_EIGHT + 4 * HOUR
    with capture_logs() as logs:
        for _ in range(3):
            await desk.tick_now()
            desk.now += HOUR
    assert [(log["list"], log["day"]) for log in logs if log["event"] == "alarm"] == [("daily", "2026-03-12")]
    assert await desk.alarms() == ["2026-03-12.daily.missed"]


async def test_without_readers_there_is_no_issue_and_the_first_reader_gets_its_papers(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day())
    desk.readers.clear()
    report = await ran(desk, AT_EIGHT)
    assert report.status is RunStatus.NOTHING_NEW
    assert "has no subscribers" in report.reason
    assert report.new
    assert report.issue is None
    desk.subscribe("ann")
    report = await ran(desk, AT_EIGHT + 2 * HOUR)
    assert report.status is RunStatus.SENT
    assert len(desk.mails("ann")) == 1


async def test_papers_of_a_day_without_readers_are_in_the_next_days_issue(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day())
    desk.readers.clear()
    assert (await ran(desk, AT_EIGHT)).status is RunStatus.NOTHING_NEW
    assert (await ran(desk, AT_EIGHT + 23 * HOUR)).status is RunStatus.NOT_DUE  # nobody has missed anything
    desk.subscribe("ann")
    await ran(desk, AT_EIGHT + DAY)
    issue = await desk.store.issues.find("daily", THURSDAY + DAY)
    assert issue is not None
    assert {"Paper of 2026-03-12", "Paper of 2026-03-13"} <= {one.listing.title for one in issue.listings}


async def test_a_list_whose_only_reader_has_left_has_nobody(desk_with: MakeDesk) -> None:
    desk = await settled(desk_with)
    await desk.store.subscribers.suppress(
        "ann@example.org", list_name="daily", reason="unsubscribed", now=desk.now
    )
    report = await ran(desk, AT_EIGHT)
    assert report.status is RunStatus.NOTHING_NEW
    assert "1 of 1: suppressed" in report.reason
    assert report.suppressed == 1


async def test_while_another_process_holds_deliveries_a_run_does_not_say_that_all_is_sent(
    desk_with: MakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LOOKS_AT_OTHERS", 1)
    desk = desk_with(every_day())
    desk.subscribe("bob", hour=time(20))
    desk.post.is_down = True
    await desk.run(THURSDAY)
    desk.post.is_down = False
    outbox = desk.store.outbox
    async with outbox.worker() as worker:
        [issue_key] = await outbox.open_issues()
        [held] = await outbox.claim(worker, issue_key=issue_key, now=desk.now, limit=5)
        meanwhile = await desk.run_now()
        await outbox.release(worker, [held.key])
    after = await desk.run_now()
    assert (meanwhile.status, meanwhile.sent_now) == (RunStatus.PARTIAL, 0)
    assert meanwhile.reason == "another process holds the rest and sends it"
    assert (after.status, after.sent_now, after.reason) == (RunStatus.SENT, 1, "")  # bob's hour comes later


async def test_a_run_waits_a_moment_for_another_process_that_sends_the_rest(desk_with: MakeDesk) -> None:
    desk = desk_with(every_day())
    desk.post.is_down = True
    await desk.run(THURSDAY)
    desk.post.is_down = False
    outbox = desk.store.outbox
    async with outbox.worker() as worker:
        [issue_key] = await outbox.open_issues()
        [held] = await outbox.claim(worker, issue_key=issue_key, now=desk.now, limit=5)
        second = asyncio.create_task(desk.run_now())
        await asyncio.sleep(0.3)
        assert not second.done()
        steps = [begun(held, desk.now), Change(held.key, DeliveryState.SENT, desk.now, held.attempts + 1)]
        await outbox.record(steps, worker=worker)
    report = await second
    assert (report.status, report.sent_now, report.reason) == (RunStatus.SENT, 0, "")
