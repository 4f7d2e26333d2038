"""What the doctor says of workers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter import __version__
from newsletter.composition.examining import examine
from newsletter.core.diagnosis import Diagnosis
from newsletter.operations.cluster import Cluster
from newsletter.operations.doctor.workers import workers
from newsletter.settings import load
from newsletter.store import open_store
from tests.clusters import queue, worker

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)


def found(cluster: Cluster, *, has_extra: bool = True) -> list[str]:
    return said(list(workers(cluster, version="1.2.3", has_extra=has_extra, now=NOW)))


def said(diagnoses: list[Diagnosis]) -> list[str]:
    return [f"{one.status}: {one.says}" for one in diagnoses]


def test_where_nothing_waits_for_workers_none_are_missed() -> None:
    assert found(Cluster(rates={}), has_extra=False) == ["ok: none: each process delivers by itself"]
    two = [worker("a", NOW), worker("b", NOW, queues=("mails",))]
    assert found(Cluster(workers=two, rates={})) == ["ok: 2 workers on 2 machines, all of version 1.2.3"]


def test_jobs_that_nobody_takes_and_workers_that_differ_are_named() -> None:
    waits = [queue("issues", NOW - timedelta(minutes=9)), queue("mails", NOW)]
    cluster = Cluster(workers=[worker("b", NOW, queues=("mails",), version="1.2.2")], queues=waits, rates={})
    assert found(cluster, has_extra=False) == [
        "warn: 1 worker live, and this installation cannot hand mail over to them",
        "fail: jobs of issues are due since 2026-03-12 07:51 UTC, and no living worker takes them",
        "warn: this is version 1.2.3, others deliver with 1.2.2 on b",
    ]


def test_jobs_of_another_version_are_a_failure() -> None:
    assert found(Cluster(rates={}, trouble="papers: the tables of the jobs are not up to date")) == [
        "fail: papers: the tables of the jobs are not up to date"
    ]


async def test_living_workers_are_found_in_the_database(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", postgres_url)
    monkeypatch.setenv("NEWSLETTER_SMTP__PORT", "9")
    store = await open_store(postgres_url)
    try:
        async with store.live_workers.register("worker", concurrency=2, queues=["issues"]):
            async with asyncio.timeout(10):
                while not await store.live_workers.alive():
                    pass
            diagnoses = await examine(load())
    finally:
        await store.close()
    [one] = said([one for one in diagnoses if one.check == "workers"])
    assert one == f"ok: 1 worker on 1 machine, all of version {__version__}"
