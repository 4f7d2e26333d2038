"""Issues handed over to workers: delivered by them, or by this process when they vanish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from typing_extensions import override

from newsletter.core.delivery import DeliveryState, Outcome
from newsletter.core.errors import OutdatedError, StoreError
from newsletter.core.halt import Order
from newsletter.core.jobs import CHUNK, Queue
from newsletter.delivery.inline import Inline
from newsletter.delivery.service import DeliveryService
from newsletter.ports import ChunkReport, Dispatcher, Store
from newsletter.scheduling.queue import handing_over, working
from newsletter.scheduling.queue.handing_over import ToWorkers
from newsletter.scheduling.queue.jobs import ProcrastinateJobs
from newsletter.scheduling.queue.sweeping import Sweep
from newsletter.scheduling.queue.working import PutOff, Working
from tests.delivery.fakes import NOW, message_for, reader
from tests.delivery.services import relay_to, service
from tests.delivery.stores import freeze, freeze_for
from tests.scheduling.queue.rows import Rows, until
from tests.smtp_server import SmtpServer


class Worker:
    """A worker in this process, with a relay of its own."""

    def __init__(self, store: Store, jobs: ProcrastinateJobs, service: DeliveryService) -> None:
        self._service = service
        self._store, self._jobs = store, jobs
        self.mailed = asyncio.Event()
        self.stop = asyncio.Event()

    async def deliver(self, issue_key: int, *, at_once: bool, stop: asyncio.Event) -> PutOff | None:
        report = await self._service.deliver_chunk(issue_key, message_for, most=CHUNK, stop=stop)
        return PutOff(NOW.replace(year=2100), trouble=report.trouble) if report.trouble else None

    async def send(self, _: asyncio.Event) -> None:
        self.mailed.set()

    async def work(self) -> None:
        queues = [queue.value for queue in Queue]
        async with self._store.live_workers.register("worker", concurrency=2, queues=queues):
            work = Working(
                jobs=self._jobs,
                name="test",
                queues=list(Queue),
                concurrency=2,
                deliver=self.deliver,
                send=self.send,
                clock=lambda: NOW,
            )
            await work.until(self.stop)


@asynccontextmanager
async def worker(store: Store, jobs: ProcrastinateJobs, server: SmtpServer) -> AsyncIterator[Worker]:
    async with service(store.outbox, relay_to(server)) as at_work:
        one = Worker(store, jobs, at_work)
        task = asyncio.create_task(one.work())
        await until(store.live_workers.alive)
        yield one
        one.stop.set()
        await task


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_LOOK", 0.02)
    monkeypatch.setattr(handing_over, "_LOOK", 0.05)


class Nobody(Dispatcher):
    """Delivers nothing: workers are to."""

    @override
    async def dispatch(self, *_: object, **__: object) -> ChunkReport:
        raise AssertionError("this process delivers")

    @override
    async def recover(self, *_: object) -> ChunkReport:
        raise AssertionError("this process recovers")


def to_workers(
    store: Store, jobs: ProcrastinateJobs, here: DeliveryService | None = None, *, waits: bool = False
) -> ToWorkers:
    inline = Inline(here) if here else Nobody()
    return ToWorkers(jobs, store.live_workers, store.outbox, inline, lambda: NOW, waits_for_workers=waits)


class Shown:
    """A progress that keeps what it was shown."""

    def __init__(self) -> None:
        self.remaining: list[int] = []

    def delivered(self, outcome: Outcome, remaining: int) -> None:
        self.remaining.append(remaining)


async def test_an_issue_is_delivered_by_a_worker_and_reported_here(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer, rows: Rows
) -> None:
    issue = await freeze_for(store, 5)
    shown = Shown()
    async with worker(store, jobs, server):
        report = await to_workers(store, jobs).dispatch(issue, message_for, progress=shown)

    assert report == ChunkReport(sent=5)
    assert server.copies() == {reader(number): 1 for number in range(1, 6)}
    assert shown.remaining == [4, 3, 2, 1, 0]
    assert await rows.states() == []


async def test_without_a_worker_this_process_delivers(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer
) -> None:
    issue = await freeze_for(store, 3)
    async with service(store.outbox, relay_to(server)) as here:
        assert await to_workers(store, jobs, here).dispatch(issue, message_for) == ChunkReport(sent=3)


async def test_when_the_workers_vanish_this_process_delivers_what_is_left(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer
) -> None:
    issue = await freeze_for(store, 3)
    async with service(store.outbox, relay_to(server)) as here:
        async with store.live_workers.register("worker", concurrency=1, queues=["issues"]):
            await until(store.live_workers.alive)
            waiting = asyncio.create_task(to_workers(store, jobs, here).dispatch(issue, message_for))
            await asyncio.wait([waiting], timeout=0.3)
            assert not waiting.done()
        assert await waiting == ChunkReport(sent=3)


async def test_a_relay_in_trouble_is_reported_to_who_waits(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer
) -> None:
    issue = await freeze_for(store, 2)
    server.answer("MAIL", "421 4.3.2 closing")
    async with worker(store, jobs, server):
        report = await to_workers(store, jobs).dispatch(issue, message_for)

    assert "421 4.3.2 closing" in report.trouble
    assert (report.sent, report.returned) == (0, 2)


async def test_a_job_that_was_taken_just_before_it_leaves_the_hours_aside_is_done_all_the_same(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue, taken, may_go_on = await freeze_for(store, 2), asyncio.Event(), asyncio.Event()
    delivers = Worker.deliver

    async def keeps_hours(self: Worker, issue_key: int, *, at_once: bool, stop: asyncio.Event) -> PutOff | None:
        if at_once:
            return await delivers(self, issue_key, at_once=at_once, stop=stop)
        taken.set()
        await may_go_on.wait()
        return PutOff(NOW.replace(year=2100), waiting="the issue's hours are over")

    monkeypatch.setattr(Worker, "deliver", keeps_hours)
    async with worker(store, jobs, server):
        await taken.wait()
        sending = asyncio.create_task(to_workers(store, jobs).dispatch(issue, message_for, at_once=True))
        await asyncio.wait([sending], timeout=0.3)
        may_go_on.set()
        assert await asyncio.wait_for(sending, 20) == ChunkReport(sent=2)


async def test_a_stop_ends_the_wait_and_leaves_the_work_to_others(
    store: Store, jobs: ProcrastinateJobs, rows: Rows
) -> None:
    issue = await freeze_for(store, 2)
    stop = asyncio.Event()
    waiting = asyncio.create_task(to_workers(store, jobs, waits=True).dispatch(issue, message_for, stop=stop))
    await asyncio.wait([waiting], timeout=0.2)
    assert not waiting.done()
    stop.set()
    assert await waiting == ChunkReport(returned=2)
    assert await rows.states() == ["todo"]


async def test_lost_jobs_are_added_those_of_halted_issues_removed_and_mails_asked_for(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.core.jobs.CHUNK", 5)
    going, halted = await freeze_for(store, 6), await freeze(store, 2)
    await store.halts.obey(halted, Order.PAUSE, now=NOW)
    await rows.connection.execute("DELETE FROM procrastinate_jobs WHERE args->>'issue' = %s", [str(going)])
    sweep = Sweep(jobs, store.outbox, store.halts, lambda: NOW)

    await sweep.once()
    await sweep.once()

    assert (await jobs.of_issue(going)).todo == 2
    assert (await jobs.of_issue(halted)).todo == 0
    assert [one.todo for one in await jobs.counts() if one.queue == "mails"] == [1]
    async with service(store.outbox, relay_to(server)) as here:
        await here.deliver_chunk(going, message_for)
    await sweep.once()
    assert (await jobs.of_issue(going)).todo == 0


async def test_as_long_as_the_ledger_fails_workers_no_jobs_are_added_to_those_that_wait(
    store: Store, jobs: ProcrastinateJobs, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.core.jobs.CHUNK", 5)
    tried: list[None] = []

    async def failing(*_: object, **__: object) -> None:
        tried.append(None)
        raise StoreError("permission denied for table deliveries")

    issue, stop = await freeze_for(store, 6), asyncio.Event()
    work = Working(
        jobs=jobs,
        name="test",
        queues=[Queue.ISSUES],
        concurrency=2,
        deliver=failing,
        send=failing,
        clock=lambda: datetime.now(UTC),
    )
    async with store.live_workers.register("worker", concurrency=2, queues=["issues"]):
        await until(store.live_workers.alive)
        working_on = asyncio.create_task(work.until(stop))
        waiting = asyncio.create_task(to_workers(store, jobs).dispatch(issue, message_for, stop=stop))
        await until(lambda: asyncio.sleep(0, len(tried) >= 2))
        sweep = Sweep(jobs, store.outbox, store.halts, lambda: NOW)
        for _ in range(10):
            await asyncio.sleep(0.1)
            await sweep.once()
        stop.set()
        await asyncio.gather(working_on, waiting)

    assert (
        len([one for one in await rows.all("SELECT queue_name FROM procrastinate_jobs") if one == "issues"]) == 2
    )


async def test_a_worker_of_a_former_version_gives_its_job_back_and_ends(
    store: Store, jobs: ProcrastinateJobs, rows: Rows
) -> None:
    async def outdated(*_: object, **__: object) -> None:
        raise OutdatedError("its tables are of revision 9999; restart it")

    issue, stop = await freeze_for(store, 3), asyncio.Event()
    work = Working(
        jobs=jobs,
        name="test",
        queues=list(Queue),
        concurrency=2,
        deliver=outdated,
        send=outdated,
        clock=lambda: datetime.now(UTC),
    )
    async with store.live_workers.register("worker", concurrency=2, queues=["issues"]):
        await until(store.live_workers.alive)
        waiting = asyncio.create_task(to_workers(store, jobs).dispatch(issue, message_for, stop=stop))
        with pytest.raises(OutdatedError, match="9999"):
            await asyncio.wait_for(work.until(stop), 30)
        await waiting

    assert stop.is_set()
    assert set(await rows.all("SELECT status FROM procrastinate_jobs")) == {"todo"}


async def test_a_worker_that_was_forgotten_registers_anew_and_goes_on(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "_FIRST_PAUSE", 0.01)
    async with worker(store, jobs, server) as one:
        await rows.connection.execute("DELETE FROM procrastinate_workers")
        issue = await freeze_for(store, 3)
        report = await to_workers(store, jobs).dispatch(issue, message_for)
        await jobs.ask_for_mails()
        await one.mailed.wait()

    assert report == ChunkReport(sent=3)


async def test_a_worker_that_is_stopped_gives_its_job_back(
    store: Store, jobs: ProcrastinateJobs, server: SmtpServer, rows: Rows
) -> None:
    issue = await freeze_for(store, 100)
    async with worker(store, jobs, server) as one:
        await until(lambda: asyncio.sleep(0, server.received))
        one.stop.set()
    counts = await store.outbox.counts(issue)

    assert await rows.states() == ["todo"]
    assert counts[DeliveryState.SENT] == len(server.received)
    assert counts[DeliveryState.SENDING] == 0
