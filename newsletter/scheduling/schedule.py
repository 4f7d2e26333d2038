"""When work is done: at intervals, by APScheduler (only this module imports it), until it is to stop.

APScheduler's job store holds no truth. It calls `tick` often, and `tick` derives from the database what is due. So
a start that comes late, a tick that is missed, or two processes at once neither lose nor repeat anything.
https://apscheduler.readthedocs.io/en/3.x/userguide.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from newsletter.core.errors import ConfigurationError, NewsletterError
from newsletter.ports import Clock
from newsletter.scheduling.liveness import Liveness

log = structlog.get_logger(__name__)

# Work is called with the event that asks it to finish what it has begun, and to begin nothing new.
Work = Callable[[asyncio.Event], Awaitable[Any]]

_JITTER = timedelta(minutes=5)
_MOST_TICKS = 1000  # at once
# Together less than what `newsletter.scheduling.signals` gives the whole process.
_GRACE = timedelta(seconds=7)
_SECONDS_TO_CLEAN_UP = 0.75
_LOOK_AT_CLOCK = 1.0  # seconds


class Intervals(NamedTuple):
    """From the start of one turn to that of the next: of a tick, and of collecting.

    That of collecting is longer by a random part of `jitter` each time, so that many installations don't ask a
    source at the same moment.
    """

    tick: timedelta
    collect: timedelta
    jitter: timedelta = _JITTER


class Schedule:
    """Runs `tick`, `collect` and what is added at their intervals for as long as its `async with` lasts.

    A turn is left out while the last one goes on. Only a tick is not: it is left to `tick` what it does while an
    earlier one goes on. An error is logged, and the work is done again at its next turn.
    """

    def __init__(
        self,
        *,
        tick: Work,
        collect: Work,
        stopping: asyncio.Event,
        clock: Clock,
        liveness: Liveness,
        intervals: Intervals,
        grace: timedelta = _GRACE,
    ) -> None:
        """Prepare a schedule; nothing runs yet.

        Args:
            tick: makes and delivers what is due; it runs for the first time at once.
            collect: reads the sources; it runs for the first time after one interval, since `tick` reads what it
                needs.
            stopping: is passed to both; set by `stop`, or by whoever else wants the work to end.
            clock: the clock that APScheduler goes by, which may be set back.
            liveness: notes ticks that end, and which other jobs go on, as `job collect` and so on.
            intervals: how often the work is done.
            grace: how long `stop` waits for running work before it is cancelled.
        """
        self._stopping = stopping
        self._clock = clock
        self._liveness = liveness
        liveness.expect_ticks(intervals.tick)
        self._grace = grace
        self._running: set[asyncio.Task[Any]] = set()
        self._longest: dict[str, timedelta] = {}  # by job: from one turn to the next
        self._watching: asyncio.Task[None] | None = None
        # It logs each run, and each turn that is left out: too much.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        now = clock()
        self._add("tick", tick, intervals.tick, jitter=timedelta(), first_at=now, at_once=_MOST_TICKS)
        first_at, jitter = now + intervals.collect, intervals.jitter
        self._add("collect", collect, intervals.collect, jitter=jitter, first_at=first_at, at_once=1)

    def add(self, name: str, work: Work, every: timedelta) -> None:
        """Add work that runs for the first time at once; `every` is from one turn to the next."""
        self._add(name, work, every, jitter=timedelta(), first_at=self._clock(), at_once=1)

    def _add(
        self, name: str, work: Work, every: timedelta, *, jitter: timedelta, first_at: datetime, at_once: int
    ) -> None:
        self._longest[name] = every + jitter
        self._scheduler.add_job(
            self._run,
            IntervalTrigger(seconds=every.total_seconds(), jitter=jitter.total_seconds(), timezone=UTC),
            args=(name, work),
            id=name,
            coalesce=True,
            max_instances=at_once,
            misfire_grace_time=None,  # however late, once
            next_run_time=first_at,
        )

    async def _run(self, name: str, work: Work) -> None:
        task = asyncio.current_task()
        if task is None or self._stopping.is_set():
            return
        self._running.add(task)
        try:
            if name == "tick":  # one may go on for hours, beside others
                await work(self._stopping)
            else:
                with self._liveness.at_work(f"job {name}"):
                    await work(self._stopping)
        except asyncio.CancelledError:
            log.warning("job_cut_off", job=name, reason="still at work when the time to stop was over")
        except (ConfigurationError, NewsletterError) as error:
            log.error("job_failed", job=name, reason=str(error))  # noqa: TRY400 (its text is made for the user)
        except Exception:
            log.exception("job_broke", job=name)
        finally:
            self._running.discard(task)
            if name == "tick":
                self._liveness.ticked()

    async def __aenter__(self) -> Self:
        """Start; the first tick runs at once."""
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch_clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def stop(self) -> None:
        """Begin nothing new, ask running work to end, wait for it, and cancel it after the grace."""
        self._stopping.set()
        if self._watching:
            self._watching.cancel()
        self._scheduler.pause()  # its shutdown would cancel what runs
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._grace.total_seconds())
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_SECONDS_TO_CLEAN_UP)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # it shuts down in the loop's next turn

    async def _watch_clock(self) -> None:
        """Give jobs their turn if the clock was set back: APScheduler would wait until the hour comes again."""
        while True:
            await asyncio.sleep(_LOOK_AT_CLOCK)
            now = self._clock()
            for name, longest in self._longest.items():
                job = self._scheduler.get_job(name)
                if job.next_run_time - now > longest:
                    log.warning("clock_set_back", job=name, was_due=job.next_run_time.isoformat())
                    job.modify(next_run_time=now)
