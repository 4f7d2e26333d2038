"""Jobs in PostgreSQL: written with the issue, given back by the dead, put off, and ended only by who has them."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from procrastinate.jobs import Job, Status

from newsletter.core.delivery import Planned
from newsletter.core.errors import StaleDraftError, StoreError
from newsletter.core.jobs import ChunkJob
from newsletter.core.subscriber import Subscriber
from newsletter.ports import IssueJobs, Store
from newsletter.scheduling.queue import tables
from newsletter.scheduling.queue.jobs import ProcrastinateJobs
from newsletter.store import conninfo_of, open_store, upgrade
from tests.delivery.fakes import NOW
from tests.delivery.stores import freeze, freeze_for, join
from tests.factories import draft
from tests.postgres import Server
from tests.scheduling.queue.rows import Rows, until

HOUR = timedelta(hours=1)
JOB = ChunkJob(issue_key=7, at=None, priority=-1)


async def test_an_issue_is_closed_together_with_a_job_for_each_chunk(
    store: Store, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.core.jobs.CHUNK", 5)
    issue = await freeze_for(store, 6)

    found = await rows.all("SELECT (args->>'issue')::int, scheduled_at, priority FROM procrastinate_jobs")
    assert found == [(issue, None, -2)] * 2


async def test_readers_with_hours_of_their_own_have_jobs_for_these(store: Store, rows: Rows) -> None:
    await join(store, 3)
    hours = {"reader1@example.org": -1, "reader2@example.org": 2, "reader3@example.org": 2}

    def plan(subscriber: Subscriber, _had: frozenset[int]) -> Planned:
        return Planned(due_at=NOW + hours[subscriber.email] * HOUR, subject="Papers")

    await store.issues.freeze(draft(()), "Papers", plan, now=NOW)

    assert await rows.times() == [NOW + 2 * HOUR, None]


async def test_an_issue_that_is_not_closed_has_no_jobs(
    store: Store, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> None:
        raise StaleDraftError("another process has thrown the issue away")

    await join(store, 2)
    monkeypatch.setattr("newsletter.store.closing._write_on", lost)
    with pytest.raises(StaleDraftError):
        await freeze(store)

    assert await rows.states() == []


async def test_without_workers_an_issue_has_jobs_only_where_they_are_waited_for(
    postgres_url: str, rows: Rows
) -> None:
    jobs = ProcrastinateJobs(conninfo_of(postgres_url), "the database", waits_for_workers=False)
    store = await open_store(postgres_url, jobs=jobs)
    await freeze_for(store, 1)
    without = await rows.states()
    async with store.live_workers.register("worker", concurrency=1, queues=["mails", "issues"]):
        await until(store.live_workers.alive)
        await freeze(store, 2)
    await store.close()

    assert (without, await rows.states()) == ([], ["todo"])


async def test_jobs_that_cannot_be_written_cost_no_issue(
    store: Store, rows: Rows, capsys: pytest.CaptureFixture[str]
) -> None:
    await rows.connection.execute("DROP FUNCTION procrastinate_defer_jobs_v1")
    issue = await freeze_for(store, 2)

    assert await store.issues.get(issue) is not None
    assert "jobs_not_written" in capsys.readouterr().out


async def test_jobs_of_a_silent_worker_are_given_to_others_and_it_ends_none_of_them(
    jobs: ProcrastinateJobs, rows: Rows
) -> None:
    await jobs.add([JOB])
    silent = await rows.silent_worker()
    number = await rows.take(silent)

    assert await jobs.bring_back() == 1
    assert await jobs.bring_back() == 0
    (other,) = await rows.all("SELECT worker_id FROM procrastinate_register_worker_v1()")
    assert await rows.take(other) == number
    manager = (await jobs.app()).job_manager
    theirs = Job(
        id=number, queue="issues", lock=None, queueing_lock=None, task_name="deliver_chunk", worker_id=silent
    )
    await manager.finish_job(theirs, Status.SUCCEEDED, delete_job=True)
    await manager.retry_job(theirs, retry_at=NOW)

    assert await rows.states() == ["doing"]
    await manager.finish_job(theirs.evolve(worker_id=other), Status.SUCCEEDED, delete_job=True)
    assert await rows.states() == []


async def test_trouble_puts_off_all_jobs_of_the_issue_and_whoever_asks_anew_has_them_now(
    jobs: ProcrastinateJobs, rows: Rows
) -> None:
    await jobs.add([JOB, JOB, ChunkJob(issue_key=8, at=None, priority=-1)])
    (worker,) = await rows.all("SELECT worker_id FROM procrastinate_register_worker_v1()")
    number = await rows.take(worker)
    until = NOW.replace(year=2100)

    await jobs.put_off(number, 7, until=until, trouble="no relay answers", waiting="")
    own = Job(id=number, queue="issues", lock=None, queueing_lock=None, task_name="x", worker_id=worker)
    await (await jobs.app()).job_manager.retry_job(own, retry_at=until)

    assert await jobs.of_issue(7) == IssueJobs(trouble="no relay answers")
    assert await jobs.of_issue(8) == IssueJobs(todo=1)
    await jobs.hasten(7, now=NOW)
    assert await rows.times() == [until, until, None]
    await jobs.hasten(7, now=NOW, again=True)
    assert (await jobs.of_issue(7)).trouble == ""
    assert await rows.times() == [until, None, None]
    await jobs.hasten(7, now=until)
    assert await jobs.of_issue(7) == IssueJobs(todo=2)


async def test_queues_are_counted_with_the_oldest_job_that_may_be_taken(
    jobs: ProcrastinateJobs, rows: Rows
) -> None:
    later = NOW.replace(year=2100)
    await jobs.add([JOB, JOB, ChunkJob(issue_key=7, at=later, priority=-1)])
    await jobs.ask_for_mails()
    await jobs.ask_for_mails()
    (worker,) = await rows.all("SELECT worker_id FROM procrastinate_register_worker_v1()")
    await rows.connection.execute("UPDATE procrastinate_events SET at = at - interval '1 hour' WHERE job_id = 2")
    await rows.connection.execute("UPDATE procrastinate_jobs SET priority = 200 WHERE id = 1")
    await rows.take(worker)

    issues, mails = await jobs.counts()
    (age,) = await rows.all("SELECT now() - %s::timestamptz", issues.oldest)
    assert (issues.queue, issues.todo, issues.later, issues.doing) == ("issues", 1, 1, 1)
    assert HOUR <= age < 2 * HOUR
    assert (mails.queue, mails.todo, mails.later, mails.doing) == ("mails", 1, 0, 0)


async def test_one_process_looks_after_the_jobs_in_each_turn(jobs: ProcrastinateJobs, postgres_url: str) -> None:
    others = ProcrastinateJobs(conninfo_of(postgres_url), "the database", waits_for_workers=True)
    turns = [await one.takes_turn(3600.0) for one in (jobs, others, jobs)]
    await others.close()

    assert sorted(turns) in ([False, False, True], [False, True, True])  # an hour may begin meanwhile


async def test_tables_of_an_older_library_are_asked_for_and_brought_up_to_date(
    postgres: Server,
) -> None:
    postgres.run("CREATE DATABASE {}", "older")
    url = postgres.url("older")
    try:
        await upgrade(url)
        await _make_older(url, "03.02")
        jobs = ProcrastinateJobs(conninfo_of(url), "the database", waits_for_workers=True)
        with pytest.raises(StoreError, match="the tables of the jobs are not up to date"):
            await jobs.counts()

        await tables.bring_up_to_date(url)
        await tables.bring_up_to_date(url)

        await jobs.add([JOB])
        assert (await jobs.of_issue(7)).todo == 1
        await jobs.close()
    finally:
        postgres.run("DROP DATABASE {} WITH (FORCE)", "older")


async def _make_older(url: str, version: str) -> None:
    """Make the tables that an earlier version of the library had."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for migration in tables._migrations():
            if migration.name > version:
                return
            await connection.execute(migration.read_bytes())
            await connection.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{migration.name}'")
