"""A list whose mail may leave only at some hours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from structlog.testing import capture_logs

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import StoppedError
from newsletter.core.newsletter_list import Hours
from newsletter.pipeline import hours
from newsletter.pipeline.report import RunStatus
from newsletter.ports import ChunkReport
from tests.editions.desk import Desk
from tests.pipeline.parts import THURSDAY, MakeDesk, ScriptedSource

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def desk(desk_with: MakeDesk) -> Desk:
    """Return a desk whose list comes out at eight, and may send from nine to five."""
    source = ScriptedSource(pages={THURSDAY: ["A Paper"]})
    return desk_with(source, hours=Hours(time(9), time(17)), timezone="Europe/London")


def on(hour: int, *, days: int = 0) -> datetime:
    return datetime.combine(THURSDAY, time(hour), UTC) + days * DAY


async def test_before_the_hours_the_issue_is_made_and_waits_and_that_is_no_failure(desk: Desk) -> None:
    report = await desk.run(THURSDAY, hour=8)
    assert report.status is RunStatus.NOT_DUE
    assert report.reason == "waits until 09:00 on 2026-03-12, Europe/London: the list's hours are 09:00-17:00"
    assert report.deliveries[DeliveryState.QUEUED] == 1
    assert desk.mails("ann") == []
    report = await desk.run(THURSDAY, hour=9)
    assert (report.status, report.sent_now) == (RunStatus.SENT, 1)


async def test_the_scheduler_waits_for_the_opening_and_says_so_once(desk: Desk) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            await desk.tick(THURSDAY)
    assert [one["until"] for one in logs if one["event"] == "delivery_waits"] == ["2026-03-12T09:00:00+00:00"]
    assert desk.mails("ann") == []
    desk.now = on(9)
    await desk.tick_now()
    assert len(desk.mails("ann")) == 1


async def test_a_deferred_delivery_is_not_tried_again_outside_of_the_hours(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undelivered(*_: object, **__: object) -> ChunkReport:
        return ChunkReport(returned=1)

    with monkeypatch.context() as down:
        down.setattr(desk.post, "deliver_chunk", undelivered)
        await desk.run(THURSDAY, hour=16)
    for moment in (on(17), on(23), on(8, days=1)):
        desk.now = moment
        await desk.tick_now()
        assert desk.mails("ann") == []
    desk.now = on(9, days=1)
    await desk.tick_now()
    assert len(desk.mails("ann")) == 1


async def test_waiting_for_the_morning_is_no_missed_deadline(desk: Desk) -> None:
    desk.list_ = replace(desk.list_, deadline=2 * HOUR, hour=time(18))
    desk.now = on(18)
    await desk.tick_now()
    desk.now = on(9, days=1)
    await desk.tick_now()
    assert len(desk.mails("ann")) == 1
    assert await desk.reasons("ann") == []


async def test_a_reader_with_an_hour_outside_of_them_gets_the_issue_at_the_opening(desk: Desk) -> None:
    desk.subscribe("ben", hour=time(20))
    await desk.run(THURSDAY, hour=9)
    for moment in (on(20), on(8, days=1)):
        desk.now = moment
        await desk.tick_now()
    assert (len(desk.mails("ann")), len(desk.mails("ben"))) == (1, 0)
    desk.now = on(9, days=1)
    await desk.tick_now()
    assert len(desk.mails("ben")) == 1


async def test_who_names_the_day_wants_it_delivered_at_any_hour(desk: Desk) -> None:
    desk.now = on(3)
    report = await desk.run_now(naming=THURSDAY)
    assert (report.status, report.reason) == (RunStatus.SENT, "")
    assert len(desk.mails("ann")) == 1


async def test_a_run_that_is_under_way_when_the_hours_end_is_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until_stopped(*_: object, stop: asyncio.Event, **__: object) -> ChunkReport:
        desk.now = on(17)
        await stop.wait()
        return ChunkReport(returned=1)

    monkeypatch.setattr(desk.post, "deliver_chunk", until_stopped)
    monkeypatch.setattr(hours, "_LOOK_AGAIN", 0.01)
    async with asyncio.timeout(5):
        report = await desk.run(THURSDAY, hour=16)
    assert report.status is RunStatus.NOT_DUE
    assert report.reason.startswith("waits until 09:00 on 2026-03-13")


async def test_a_signal_stops_it_before_the_hours_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, delivering = asyncio.Event(), asyncio.Event()

    async def until_stopped(*_: object, stop: asyncio.Event, **__: object) -> ChunkReport:
        delivering.set()
        await stop.wait()
        return ChunkReport(returned=1)

    monkeypatch.setattr(desk.post, "deliver_chunk", until_stopped)
    desk.now = on(16)
    running = asyncio.create_task(desk.run_now(stop=stop))
    async with asyncio.timeout(30):
        await delivering.wait()
    stop.set()
    async with asyncio.timeout(5):
        report = await running
    assert report.status is RunStatus.PARTIAL


async def test_a_signal_that_comes_before_the_sources_are_read_leaves_everything_as_it_is(desk: Desk) -> None:
    stop = asyncio.Event()
    stop.set()
    desk.now = on(16)
    with pytest.raises(StoppedError):
        await desk.run_now(stop=stop)
    assert await desk.pipeline.store.issues.latest(desk.file.list.name) is None
