from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo

import apscheduler.schedulers.base
import pytest
from structlog.testing import capture_logs

from newsletter.core.errors import ConfigurationError, SourceError
from newsletter.scheduling.liveness import Liveness
from newsletter.scheduling.schedule import Intervals, Schedule, Work

SOON = timedelta(milliseconds=20)
NEVER = timedelta(hours=1)


async def nothing(_: asyncio.Event) -> None:
    """Do no work."""


def schedule(
    tick: Work = nothing,
    collect: Work = nothing,
    *,
    tick_every: timedelta = NEVER,
    collect_every: timedelta = NEVER,
    grace: timedelta = timedelta(seconds=5),
    stopping: asyncio.Event | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Schedule:
    return Schedule(
        tick=tick,
        collect=collect,
        stopping=stopping or asyncio.Event(),
        clock=clock or (lambda: datetime.now(UTC)),
        liveness=Liveness(),
        intervals=Intervals(tick_every, collect_every, timedelta(milliseconds=5)),
        grace=grace,
    )


class Turns:
    """Work that counts its turns; `reached(n)` waits for the nth."""

    def __init__(self, *troubles: Exception) -> None:
        self.count = 0
        self._troubles = list(troubles)
        self._changed = asyncio.Condition()

    async def __call__(self, stopping: asyncio.Event) -> None:
        async with self._changed:
            self.count += 1
            self._changed.notify_all()
        if self._troubles:
            raise self._troubles.pop(0)

    async def reached(self, count: int) -> None:
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.count >= count), 5)


async def test_the_first_tick_runs_at_once_and_the_first_collect_after_its_interval() -> None:
    tick, collect = Turns(), Turns()
    async with schedule(tick, collect):
        await tick.reached(1)
    assert (tick.count, collect.count) == (1, 0)


async def test_tick_and_collect_come_again_and_again() -> None:
    tick, collect = Turns(), Turns()
    async with schedule(tick, collect, tick_every=SOON, collect_every=SOON):
        await tick.reached(3)
        await collect.reached(3)
    assert min(tick.count, collect.count) >= 3


async def test_nothing_begins_after_the_end() -> None:
    tick = Turns()
    async with schedule(tick, tick_every=SOON):
        await tick.reached(1)
    after = tick.count
    await asyncio.sleep(3 * SOON.total_seconds())
    assert tick.count == after


@pytest.mark.parametrize(
    ("trouble", "event"),
    [
        (SourceError("example.org: no answer"), "job_failed"),
        (ConfigurationError("daily.toml:3: unknown key"), "job_failed"),
        (ZeroDivisionError("a defect"), "job_broke"),
    ],
)
async def test_work_that_raises_is_logged_and_comes_again(trouble: Exception, event: str) -> None:
    tick = Turns(trouble)
    with capture_logs() as logs:
        async with schedule(tick, tick_every=SOON):
            await tick.reached(2)
    assert [(one["event"], one["log_level"], one["job"]) for one in logs] == [(event, "error", "tick")]
    if event == "job_failed":
        assert logs[0]["reason"] == str(trouble)
    else:
        assert logs[0]["exc_info"]


async def test_a_turn_to_collect_that_comes_while_the_last_one_goes_on_is_left_out() -> None:
    begun, finish, tick = 0, asyncio.Event(), Turns()

    async def slow(_: asyncio.Event) -> None:
        nonlocal begun
        begun += 1
        await finish.wait()

    async with schedule(tick, slow, tick_every=2 * SOON, collect_every=SOON):
        await tick.reached(6)
        assert begun == 1
        finish.set()


async def test_a_long_tick_does_not_hold_up_the_next_one() -> None:
    begun, finish, collect = 0, asyncio.Event(), Turns()

    async def slow(_: asyncio.Event) -> None:
        nonlocal begun
        begun += 1
        await finish.wait()

    async with schedule(slow, collect, tick_every=SOON, collect_every=SOON):
        await collect.reached(4)
        assert begun > 1
        finish.set()


async def test_slow_collecting_does_not_hold_up_ticks() -> None:
    collecting, finish, tick = asyncio.Event(), asyncio.Event(), Turns()

    async def collect(_: asyncio.Event) -> None:
        collecting.set()
        await finish.wait()

    async with schedule(tick, collect, tick_every=SOON, collect_every=SOON):
        await asyncio.wait_for(collecting.wait(), 5)
        before = tick.count
        await tick.reached(before + 2)
        assert tick.count >= before + 2
        finish.set()


async def test_running_work_is_asked_to_end_and_waited_for() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def obedient(stopping: asyncio.Event) -> None:
        begun.set()
        await stopping.wait()
        await asyncio.sleep(0.01)
        ended.set()

    async with schedule(obedient):
        await asyncio.wait_for(begun.wait(), 5)
    assert ended.is_set()


async def test_work_that_does_not_end_is_cut_off_after_the_grace() -> None:
    begun, cleaned_up = asyncio.Event(), asyncio.Event()

    async def stubborn(_: asyncio.Event) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned_up.set()

    with capture_logs() as logs:
        async with schedule(stubborn, grace=SOON):
            await asyncio.wait_for(begun.wait(), 5)
    assert cleaned_up.is_set()
    assert [(one["event"], one["job"]) for one in logs] == [("job_cut_off", "tick")]


async def test_a_clock_that_is_set_back_puts_no_turn_off(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        ahead = timedelta()

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + cls.ahead

    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Clock)
    monkeypatch.setattr("newsletter.scheduling.schedule._LOOK_AT_CLOCK", 0.01)
    tick, collect = Turns(), Turns()
    async with schedule(tick, collect, tick_every=SOON, collect_every=SOON, clock=lambda: Clock.now(UTC)):
        await collect.reached(1)
        Clock.ahead = -NEVER
        before = tick.count, collect.count
        await tick.reached(before[0] + 3)
        await collect.reached(before[1] + 3)
    assert (tick.count, collect.count) >= (before[0] + 3, before[1] + 3)


async def test_no_work_begins_once_somebody_else_has_asked_to_stop() -> None:
    tick, stopping = Turns(), asyncio.Event()
    async with schedule(tick, tick_every=SOON, stopping=stopping):
        await tick.reached(1)
        stopping.set()
        after = tick.count
        await asyncio.sleep(3 * SOON.total_seconds())
        assert tick.count == after
