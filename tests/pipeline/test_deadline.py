"""What could not be delivered in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.core.delivery import DeliveryState
from newsletter.ports import ChunkReport
from tests.editions.desk import Desk
from tests.pipeline.parts import THURSDAY, MakeDesk, ScriptedSource

DAY = timedelta(days=1)


@pytest.fixture
async def desk(desk_with: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a desk that has frozen an issue on Thursday at eight while its relay was down."""
    desk = desk_with(ScriptedSource(pages={THURSDAY: ["A Paper"]}))

    async def undelivered(*_: object, **__: object) -> ChunkReport:
        return ChunkReport(returned=1)

    with monkeypatch.context() as down:
        down.setattr(desk.post, "deliver_chunk", undelivered)
        await desk.run(THURSDAY)
    return desk


async def test_on_the_next_day_an_issue_is_late_but_goes_out(desk: Desk) -> None:
    await desk.tick(THURSDAY + DAY)
    assert len(desk.mails("ann")) == 1


async def test_past_its_deadline_an_issue_is_withdrawn_and_the_reason_is_on_record(desk: Desk) -> None:
    await desk.tick(THURSDAY + 2 * DAY)
    assert desk.mails("ann") == []
    assert await desk.reasons("ann") == ["too late: it could not be delivered within 36 hours"]
    issue = await desk.store.issues.find("daily", THURSDAY)
    assert issue is not None
    assert (await desk.store.outbox.counts(issue.key))[DeliveryState.WITHDRAWN] == 1


async def test_what_the_operator_has_asked_for_is_not_withdrawn_by_the_next_tick(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undelivered(*_: object, **__: object) -> ChunkReport:
        return ChunkReport(returned=1)

    desk.now += 5 * DAY
    with monkeypatch.context() as down:
        down.setattr(desk.post, "deliver_chunk", undelivered)
        await desk.run_now(naming=THURSDAY)
    desk.now += DAY
    await desk.tick_now()
    assert len(desk.mails("ann")) == 1


async def test_who_names_the_day_wants_it_delivered_however_late(desk: Desk) -> None:
    desk.now += 5 * DAY
    await desk.run_now(naming=THURSDAY)
    assert len(desk.mails("ann")) == 1
