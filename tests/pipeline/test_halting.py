"""What becomes of issues that the operator pauses or cancels, and of their papers."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.halt import Order
from newsletter.pipeline.report import RunStatus
from newsletter.ports import ChunkReport, Store
from tests.backtest.recorded import MONDAY, TUESDAY
from tests.editions.desk import LIST, Desk

WEDNESDAY = TUESDAY + timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path, store: Store) -> Desk:
    desk = Desk(tmp_path, store, list_=replace(LIST, max_listings=0))
    desk.subscribe("ann")
    desk.subscribe("late", hour=time(20))
    return desk


async def halt(desk: Desk, order: Order) -> None:
    outline = await desk.store.issues.outline("daily")
    assert outline is not None
    await desk.store.halts.obey(outline.key, order, now=desk.now)


async def test_who_did_not_get_a_cancelled_issue_finds_its_papers_in_the_next_one(desk: Desk) -> None:
    await desk.run(MONDAY)
    assert [mail.email for mail in desk.post.mails] == ["ann@example.org"]
    await halt(desk, Order.CANCEL)
    report = await desk.run(MONDAY, hour=20)
    assert "cancelled" in report.reason
    await desk.run(TUESDAY)
    await desk.run(TUESDAY, hour=20)

    [ann_monday, ann_tuesday], [late] = desk.mails("ann"), desk.mails("late")
    assert set(ann_monday.papers) < set(late.papers)
    assert not set(ann_monday.papers) & set(ann_tuesday.papers)


@pytest.mark.parametrize(("order", "said"), [(Order.PAUSE, "is paused: "), (Order.CANCEL, "is cancelled")])
async def test_a_run_says_that_its_issue_was_halted_while_it_was_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, order: Order, said: str
) -> None:
    send = desk.post.deliver_chunk

    async def halted_and_sent(*args: Any, **named: Any) -> ChunkReport:
        await halt(desk, order)
        return await send(*args, **named)

    monkeypatch.setattr(desk.post, "deliver_chunk", halted_and_sent)
    report = await desk.run(MONDAY)

    assert report.reason.startswith(f"the issue {said}")
    assert desk.post.mails == []


async def test_a_run_says_what_to_do_about_what_is_uncertain(desk: Desk) -> None:
    await desk.run(MONDAY)
    issue = await desk.store.issues.find("daily", MONDAY)
    assert issue is not None
    async with desk.store.outbox.worker() as worker:
        at = desk.now + timedelta(hours=12)
        [late] = await desk.store.outbox.claim(worker, issue_key=issue.key, now=at, limit=1)
        for state in (DeliveryState.SENDING, DeliveryState.UNCERTAIN):
            await desk.store.outbox.record([Change(key=late.key, state=state, at=at, attempts=1)])

    report = await desk.run_now(naming=MONDAY)

    assert report.status is RunStatus.PARTIAL
    assert report.reason == (
        f"1 uncertain: `newsletter deliveries release --list daily --date {MONDAY}` sends them again, "
        "with --as-sent counts them as sent"
    )


async def test_what_came_too_late_is_made_up_for_by_the_first_issue_after_that(desk: Desk) -> None:
    desk.subscribe("new")  # gets the best of each day, whatever others got
    desk.post.is_down = True
    await desk.run(MONDAY)
    await desk.run(TUESDAY)
    desk.post.is_down = False
    await desk.run(WEDNESDAY)  # Monday's issue is withdrawn after Wednesday's was closed
    await desk.run(WEDNESDAY + timedelta(days=1))
    await desk.run(WEDNESDAY + timedelta(days=2))

    monday = await desk.store.issues.find("daily", MONDAY)
    assert monday is not None
    of_monday = {int(one.listing.title.rpartition("number ")[2]) for one in monday.listings}
    tuesday, wednesday, thursday, friday = desk.mails("new")
    assert not of_monday & {*tuesday.papers, *wednesday.papers, *friday.papers}
    assert of_monday & {*thursday.papers}


async def test_nothing_becomes_too_late_by_a_pause(desk: Desk) -> None:
    await desk.run(MONDAY)
    await halt(desk, Order.PAUSE)
    desk.now += timedelta(days=5)
    report = await desk.run_now(naming=MONDAY)
    assert report.status is RunStatus.PARTIAL
    assert "newsletter issues resume --list daily --date 2026-03-09" in report.reason
    await halt(desk, Order.RESUME)
    issue = await desk.store.issues.find("daily", MONDAY)
    assert issue is not None
    await desk.pipeline.delivering.deliver(issue)
    assert [len(desk.mails(name)) for name in ("ann", "late")] == [1, 1]
