"""What a worker does: takes jobs, until it is asked to end, whatever becomes of the database meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from typing_extensions import override

from newsletter.core.errors import ConfigurationError, NewsletterError, OutdatedError, StoreError
from newsletter.core.jobs import Queue
from newsletter.ports import Clock
from newsletter.scheduling.queue.engine import in_a_line
from newsletter.scheduling.queue.jobs import SILENT, ProcrastinateJobs
from newsletter.scheduling.queue.statements import DELIVER, SEND

if TYPE_CHECKING:
    from procrastinate import App
    from procrastinate.job_context import JobContext
    from procrastinate.jobs import Job

log = structlog.get_logger(__name__)

_LOOK = 0.5  # seconds from one look for a job to the next, while there is none
_SIGN_OF_LIFE = 5.0  # seconds from one to the next
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before a worker that lost the database tries again
_LONG = 60.0  # seconds of work after which the pauses begin anew
_SOON = timedelta(seconds=5)  # after which a job is tried again that the ledger stopped; `IS_BACK_SOON` is longer


@dataclass(frozen=True, slots=True)
class PutOff:
    """That the rest of a job is to be done later, and why: trouble, or something to wait for."""

    until: datetime
    trouble: str = ""
    waiting: str = ""


class DeliversChunk(Protocol):
    """Delivers a chunk of an issue."""

    async def __call__(self, issue_key: int, *, at_once: bool, stop: asyncio.Event) -> PutOff | None:
        """Return when the rest is to be done, if it is put off; see `newsletter.core.jobs` for what a chunk is."""
        ...


class _GoesBackError(Exception):
    """The job is to be done again, at a moment, or as soon as somebody has time."""

    def __init__(self, at: datetime | None) -> None:
        super().__init__()
        self.at = at


class _Again(BaseRetryStrategy):
    @override
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision(retry_at=exception.at) if isinstance(exception, _GoesBackError) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """Takes jobs of some queues.

    Attributes:
        jobs: the jobs.
        name: of this worker, in Procrastinate's notes.
        queues: whose jobs are taken.
        concurrency: how many chunks of issues are delivered at once; mails have a place of their own beside them.
        deliver: delivers a chunk.
        send: sends the mails that wait.
        clock: returns the present moment.
    """

    jobs: ProcrastinateJobs
    name: str
    queues: Collection[Queue]
    concurrency: int
    deliver: DeliversChunk
    send: Callable[[asyncio.Event], Awaitable[object]]
    clock: Clock
    _outdated: list[OutdatedError] = field(default_factory=list, init=False)

    async def until(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then what is in flight is finished, and the jobs go back.

        Raises:
            OutdatedError: a newer version has changed the tables, so this one can do nothing more; `stop` is set.
        """
        places = {queue: self.concurrency if queue is Queue.ISSUES else 1 for queue in self.queues}
        await asyncio.gather(*(self._take(queue, count, stop) for queue, count in places.items()))
        if self._outdated:
            raise self._outdated[0]

    async def _take(self, queue: Queue, places: int, stop: asyncio.Event) -> None:
        """Take jobs of one queue. What loses the database, or is taken for dead, begins anew."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while not stop.is_set():
            began = loop.time()
            reason = await self._run(queue, places, stop)
            if stop.is_set():
                return
            pause = _FIRST_PAUSE if loop.time() - began > _LONG else pause
            log.warning("worker_begins_anew", queue=queue.value, reason=reason, seconds=round(pause, 1))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run(self, queue: Queue, places: int, stop: asyncio.Event) -> str:
        """Run Procrastinate's worker until `stop` is set, or it ends by itself; then return why."""
        try:
            app = await self.jobs.app()
        except StoreError as unreachable:
            return str(unreachable)
        self._add_tasks(app, stop)
        # Polled, not told by LISTEN, which no pooler in transaction mode carries.
        running = asyncio.create_task(
            app.run_worker_async(
                queues=[queue.value],
                name=f"{self.name} {queue.value}",
                concurrency=places,
                install_signal_handlers=False,
                listen_notify=False,
                fetch_job_polling_interval=_LOOK,
                abort_job_polling_interval=_LONG,
                update_heartbeat_interval=_SIGN_OF_LIFE,
                stalled_worker_timeout=3 * SILENT,
                delete_jobs="successful",
            )
        )
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([running, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            running.cancel()  # it takes no more, and ends with the jobs that it is at
            await asyncio.wait([running])
        broke = None if running.cancelled() else running.exception()
        return "it lost the database" if broke is None else in_a_line(broke)

    def _add_tasks(self, app: App, stop: asyncio.Event) -> None:
        """Let the application know what its tasks do, if it does not yet."""
        if DELIVER in app.tasks:
            return

        @app.task(name=DELIVER, queue=Queue.ISSUES.value, retry=_Again(), pass_context=True)
        async def deliver_chunk(
            context: JobContext, /, *, issue: int, at_once: bool = False, **_noted: Any
        ) -> None:
            put_off = await self._tried(self.deliver(issue, at_once=at_once, stop=stop), stop)
            if put_off is not None:
                await self._put_off(context, issue, put_off)

        @app.task(name=SEND, queue=Queue.MAILS.value, retry=_Again())
        async def send() -> None:
            await self._tried(self.send(stop), stop)

    async def _tried(self, work: Awaitable[Any], stop: asyncio.Event) -> Any:
        """Return what some work returns. A job that fails is given back, or up: the ledger knows what is left.

        Raises:
            _GoesBackError: the job is to be done again.
        """
        try:
            done = await work
        except OutdatedError as error:
            self._outdated.append(error)
            stop.set()
            raise _GoesBackError(None) from error
        except StoreError as error:
            log.warning("job_waits", reason=str(error))
            raise _GoesBackError(self.clock() + _SOON) from error
        except (NewsletterError, ConfigurationError) as error:
            log.error("job_failed", reason=str(error))  # noqa: TRY400 (its text is made for the user)
            return None
        except Exception:
            log.exception("job_broke")
            return None
        if stop.is_set():
            raise _GoesBackError(None)
        return done

    async def _put_off(self, context: JobContext, issue_key: int, rest: PutOff) -> None:
        number = context.job.id
        if number is not None:
            with suppress(StoreError):
                await self.jobs.put_off(
                    number, issue_key, until=rest.until, trouble=rest.trouble, waiting=rest.waiting
                )
        raise _GoesBackError(rest.until)
