"""When work is done: at intervals, by APScheduler (this is the only module that knows it), until it is to stop.

APScheduler's job store holds no truth. It calls `tick` often, and `tick` derives from the database what is due;
so a start that comes late, a tick that is missed, or two processes at once neither lose nor repeat anything.
https://apscheduler.readthedocs.io/en/3.x/userguide.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from newsletter.core.errors import ConfigurationError, NewsletterError

log = structlog.get_logger(__name__)

# Work that is handed the event which asks it to finish what it has in hand, and to begin nothing new.
Work = Callable[[asyncio.Event], Awaitable[Any]]

# Together less than what `newsletter.scheduling.signals` gives the whole process.
_GRACE = timedelta(seconds=7)
_SECONDS_TO_CLEAN_UP = 0.75
_LOOK_AT_CLOCK = 1.0  # seconds


class Schedule:
    """Runs `tick` and `collect` at their intervals for as long as its `async with` lasts.

    Neither runs twice at once; a turn that comes while the last one goes on is left out. One that raises is
    logged, and comes again at its next turn.
    """

    def __init__(
        self,
        *,
        tick: Work,
        collect: Work,
        stopping: asyncio.Event,
        tick_every: timedelta = timedelta(seconds=15),
        collect_every: timedelta = timedelta(minutes=30),
        jitter: timedelta = timedelta(minutes=5),
        grace: timedelta = _GRACE,
    ) -> None:
        """Prepare a schedule; nothing runs yet.

        Args:
            tick: makes what is due and sweeps up what was deferred; its first run is at once.
            collect: reads the sources; its first run is after one interval, since `tick` collects what it needs.
            stopping: is handed to both; set by `stop`, or by whoever else wants the work to end.
            tick_every: from the start of one tick to that of the next.
            collect_every: likewise; each interval is longer by a random part of `jitter`, so that many
                installations don't ask a source at the same moment.
            jitter: see `collect_every`.
            grace: how long `stop` waits for running work before it is cancelled.
        """
        self._stopping = stopping
        self._grace = grace
        self._running: set[asyncio.Task[Any]] = set()
        self._longest: dict[str, timedelta] = {}  # from one turn to the next
        self._minding: asyncio.Task[None] | None = None
        # Its news of every run, and of turns that are left out, would fill the log.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        now = datetime.now(UTC)
        self._add("tick", tick, tick_every, jitter=timedelta(), first_at=now)
        self._add("collect", collect, collect_every, jitter=jitter, first_at=now + collect_every)

    def _add(self, name: str, work: Work, every: timedelta, *, jitter: timedelta, first_at: datetime) -> None:
        self._longest[name] = every + jitter
        self._scheduler.add_job(
            self._run,
            IntervalTrigger(seconds=every.total_seconds(), jitter=jitter.total_seconds(), timezone=UTC),
            args=(name, work),
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # however late, once
            next_run_time=first_at,
        )

    async def _run(self, name: str, work: Work) -> None:
        task = asyncio.current_task()
        if task is None or self._stopping.is_set():
            return
        self._running.add(task)
        try:
            await work(self._stopping)
        except asyncio.CancelledError:
            log.warning("job_cut_off", job=name, reason="still at work when the time to stop was over")
        except (ConfigurationError, NewsletterError) as error:
            log.error("job_failed", job=name, reason=str(error))  # noqa: TRY400 (its text is made for the user)
        except Exception:
            log.exception("job_broke", job=name)
        finally:
            self._running.discard(task)

    async def __aenter__(self) -> Self:
        """Start; the first tick runs at once."""
        self._scheduler.start()
        self._minding = asyncio.create_task(self._mind_clock())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def stop(self) -> None:
        """Begin nothing new, ask running work to end, wait for it, and cut it off after the grace."""
        self._stopping.set()
        if self._minding:
            self._minding.cancel()
        self._scheduler.pause()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=self._grace.total_seconds())
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=_SECONDS_TO_CLEAN_UP)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the scheduler shuts down in the loop's next turn

    async def _mind_clock(self) -> None:
        """Let those have their turn now whose turn a clock that was set back would put off; APScheduler waits."""
        while True:
            await asyncio.sleep(_LOOK_AT_CLOCK)
            now = datetime.now(UTC)
            for name, longest in self._longest.items():
                job = self._scheduler.get_job(name)
                if job.next_run_time - now > longest:
                    log.warning("clock_set_back", job=name, was_due=job.next_run_time.isoformat())
                    job.modify(next_run_time=now)
