"""What an operator does about deliveries that hang, through a real store."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.core.delivery import Change, DeliveryState
from newsletter.operations.operate import release, retry
from newsletter.operations.status import status
from newsletter.ports import ChunkReport, Store
from tests.clusters import SeenCluster
from tests.editions.desk import Desk
from tests.pipeline.parts import THURSDAY, ScriptedSource, desk_with

DAY = timedelta(days=1)


@pytest.fixture
async def desk(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk with issues of two days and four readers, none of which has got any mail yet."""
    source = ScriptedSource(pages={THURSDAY: ["A"], THURSDAY + DAY: ["B"]})
    desk = desk_with(tmp_path, store, source)
    for name in ("bob", "cat", "dan"):
        desk.subscribe(name)

    async def undelivered(*_: object, **__: object) -> ChunkReport:
        return ChunkReport(returned=4)

    monkeypatch.setattr(desk.post, "deliver_chunk", undelivered)
    for day in (THURSDAY, THURSDAY + DAY):
        await desk.run(day)
    return desk


async def bring(desk: Desk, count: int, state: DeliveryState, **about: object) -> None:
    """Bring the first deliveries of Thursday into a state, as delivering them would."""
    issue = await desk.store.issues.find("daily", THURSDAY)
    assert issue is not None
    async with desk.store.outbox.worker() as worker:
        claimed = await desk.store.outbox.claim(worker, now=desk.now, limit=count, issue_key=issue.key)
        for delivery in claimed:
            for step in (DeliveryState.SENDING, state):
                known = about if step is state else {}
                change = Change(key=delivery.key, state=step, at=desk.now, attempts=1, **known)  # type: ignore[arg-type]
                await desk.store.outbox.record([change])


async def test_deferred_deliveries_are_due_at_once_when_the_operator_retries_them(desk: Desk) -> None:
    later = desk.now + 5 * DAY
    await bring(desk, 3, DeliveryState.DEFERRED, next_attempt_at=later)
    issue = await desk.store.issues.find("daily", THURSDAY)
    assert issue is not None
    assert await retry(desk.store.outbox, list_name="other", day=None, now=desk.now) == 0
    assert await retry(desk.store.outbox, list_name=None, day=THURSDAY + DAY, now=desk.now) == 0
    assert await retry(desk.store.outbox, list_name="daily", day=THURSDAY, now=desk.now) == 3
    async with desk.store.outbox.worker() as worker:
        claimed = await desk.store.outbox.claim(worker, now=desk.now, limit=99, issue_key=issue.key)
    assert len(claimed) == 4


@pytest.mark.parametrize(
    ("as_sent", "state"), [(False, DeliveryState.QUEUED), (True, DeliveryState.SENT)], ids=["queued", "sent"]
)
async def test_uncertain_deliveries_are_released_however_many_there_are(
    desk: Desk, as_sent: bool, state: DeliveryState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.operations.operate._AT_A_TIME", 2)
    await bring(desk, 3, DeliveryState.UNCERTAIN)
    released = await release(desk.store.outbox, as_sent=as_sent, list_name=None, day=None, now=desk.now)
    assert released == 3
    issue = await desk.store.issues.find("daily", THURSDAY)
    assert issue is not None
    counts = await desk.store.outbox.counts(issue.key)
    assert counts.get(DeliveryState.UNCERTAIN, 0) == 0
    assert counts[state] == 3 + (state is DeliveryState.QUEUED)
    assert await release(desk.store.outbox, as_sent=as_sent, list_name=None, day=None, now=desk.now) == 0


async def test_the_store_finds_issues_with_deliveries_in_a_state_the_oldest_first(desk: Desk) -> None:
    await bring(desk, 2, DeliveryState.DEFERRED, next_attempt_at=desk.now + DAY)
    thursday, friday = [
        issue.key for day in (THURSDAY, THURSDAY + DAY) if (issue := await desk.store.issues.find("daily", day))
    ]
    outbox = desk.store.outbox
    assert await outbox.issues_with(DeliveryState.QUEUED) == [thursday, friday]
    assert await outbox.issues_with(DeliveryState.DEFERRED) == [thursday]
    assert await outbox.issues_with(DeliveryState.QUEUED, day=THURSDAY + DAY) == [friday]
    assert await outbox.issues_with(DeliveryState.QUEUED, list_name="other") == []


async def test_an_issue_that_is_made_ahead_is_not_the_next_one(desk: Desk) -> None:
    reader = SeenCluster().reader(desk.store.oversight)
    thursday = desk.now.replace(day=THURSDAY.day)  # Friday's issue was made already
    (row,) = (await status(desk.store, desk.load(), {"daily": []}, reader, (), now=thursday)).lists
    assert row.next is not None
    assert f"{row.next:%F %R}" == "2026-03-16 08:00"


async def test_status_shows_what_is_due_stuck_and_next(desk: Desk) -> None:
    await bring(desk, 1, DeliveryState.DEFERRED, next_attempt_at=desk.now + DAY)
    await bring(desk, 1, DeliveryState.UNCERTAIN)
    await desk.store.library.attempted("jsonl:x", THURSDAY, now=desk.now, settled=False, error="gone")
    reader = SeenCluster().reader(desk.store.oversight)
    (row,) = (await status(desk.store, desk.load(), {"daily": ["jsonl:x"]}, reader, (), now=desk.now)).lists
    assert row.newest is not None
    assert [(one.issue.day, one.waiting) for one in row.unfinished] == [
        (THURSDAY, {DeliveryState.DEFERRED: 1, DeliveryState.UNCERTAIN: 1, DeliveryState.QUEUED: 2}),
        (THURSDAY + DAY, {DeliveryState.QUEUED: 4}),
    ]
    assert (row.readers, row.left, [source.error for source in row.sources]) == (4, 0, ["gone"])
    assert (row.list, row.newest.day, row.stuck, row.subscribers) == ("daily", THURSDAY + DAY, 2, 4)
    assert row.newest.deliveries[DeliveryState.QUEUED] == 4
    assert row.next is not None
    assert f"{row.next:%F %R}" == "2026-03-16 08:00"
    assert row.waits_until is None
