"""What monitoring asks: readyz and metrics, read from the ledger whoever writes there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from newsletter.core.alarms import Cause
from newsletter.core.errors import StoreError
from newsletter.ports import SlowDown, SlowDownKind
from newsletter.ports.beats import RUN, SCHEDULER
from tests.clusters import queue, worker
from tests.web.site import NOW, RELAY, Site

MINUTE = timedelta(minutes=1)
READY = "/-/readyz"
METRICS = "/-/metrics"


async def relay_in_trouble(site: Site) -> None:
    trouble = SlowDown(
        kind=SlowDownKind.RELAY, name=RELAY, since=NOW, reason="535 no", forgotten_at=NOW + timedelta(hours=9)
    )
    await site.store.slow_downs.note([trouble], now=NOW)


async def test_it_is_ready_while_somebody_does_the_work_of_the_scheduler(site: Site) -> None:
    nobody = await site.client.get(READY)
    assert (nobody.status_code, nobody.json()["scheduler"]) == (503, "no process has ever done its work")
    await site.store.beats.note(SCHEDULER, "other:1", now=NOW, fresh_for=MINUTE)
    answer = await site.client.get(READY, headers={"Host": "balancer.internal"})
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "ledger": "ok", "scheduler": "ok", "relay": "ok", "workers": "ok"}
    site.now = NOW + 2 * MINUTE
    late = await site.client.get(READY)
    assert (late.status_code, late.json()["scheduler"]) == (
        503,
        "the last process that did its work did so at 2026-03-12T08:00:00Z",
    )
    await site.store.beats.note(RUN, "cron:2", now=NOW, fresh_for=timedelta(hours=26))
    assert (await site.client.get(READY)).status_code == 200


async def test_it_is_not_ready_without_a_relay_or_a_ledger(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    await site.store.beats.note(SCHEDULER, "a:1", now=NOW, fresh_for=MINUTE)
    await relay_in_trouble(site)
    answer = await site.client.get(READY)
    assert (answer.status_code, answer.json()["relay"]) == (503, "in trouble")
    assert RELAY not in answer.text

    async def broken(**_: object) -> None:
        raise StoreError("/var/lib/newsletter.db: disk I/O error")

    monkeypatch.setattr(site.store.beats, "newest", broken)
    answer = await site.client.get(READY)
    assert (answer.status_code, answer.json()["ledger"]) == (503, "it cannot be read")
    assert "/var/lib" not in answer.text


async def metrics_of(site: Site, **headers: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the values of metrics by name and labels, read as Prometheus reads them."""
    answer = await site.client.get(METRICS, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


async def test_metrics_say_how_lists_mail_sources_and_the_program_do(site: Site) -> None:
    await site.store.growth.count(now=NOW)
    await site.store.beats.note(SCHEDULER, "other:1", now=NOW, fresh_for=MINUTE)
    await site.store.alarms.ring(Cause.STUCK, "daily", "1 queued", day=None, tell=[], now=NOW)
    await relay_in_trouble(site)

    found = await metrics_of(site)

    at = NOW.timestamp()
    assert found["newsletter_info"] == {("1.2.3",): 1}
    assert found["newsletter_ledger_up"] == {(): 1}
    assert found["newsletter_readers"] == {("daily",): 1}
    assert found["newsletter_last_issue_timestamp_seconds"] == {("daily",): at}
    assert found["newsletter_next_issue_timestamp_seconds"] == {("daily",): at + 24 * 3600}
    assert found["newsletter_deliveries"]["daily", "queued"] == 1
    assert found["newsletter_deliveries"]["daily", "sent"] == 0
    assert found["newsletter_open_deliveries"]["daily", "queued"] == 1
    assert found["newsletter_relay_trouble"] == {(RELAY,): 1}
    assert found["newsletter_source_last_success_timestamp_seconds"] == {("huggingface",): at}
    assert found["newsletter_source_failing"] == {("huggingface",): 0}
    assert found["newsletter_alarms_active"]["stuck",] == 1
    assert sum(found["newsletter_alarms_active"].values()) == 1
    assert found["newsletter_beat_timestamp_seconds"] == {("scheduler",): at}
    assert found["newsletter_beat_due_timestamp_seconds"] == {("scheduler",): at + 60}
    assert found["process_resident_memory_bytes"][()] > 1_000_000


async def test_metrics_say_how_workers_and_their_jobs_do(site: Site) -> None:
    site.cluster.workers = [worker("mail-1", NOW, busy=3), worker("mail-1", NOW, busy=1), worker("mail-2", NOW)]
    site.cluster.queues = [queue("issues", NOW, due=7, later=2, doing=4), queue("mails", None, later=1)]
    found = await metrics_of(site)
    one, two = ("mail-1", "worker", "1.2.3"), ("mail-2", "worker", "1.2.3")
    assert found["newsletter_workers"] == {one: 2, two: 1}
    assert found["newsletter_worker_chunks"] == {one: 4, two: 0}
    assert found["newsletter_worker_chunks_limit"] == {one: 8, two: 4}
    assert found["newsletter_jobs"]["issues", "due"] == 7
    assert found["newsletter_jobs"]["mails", "later"] == 1
    assert found["newsletter_jobs"]["issues", "doing"] == 4
    assert found["newsletter_oldest_due_job_timestamp_seconds"] == {("issues",): NOW.timestamp()}
    assert found["newsletter_relay_mails_per_second"] == {(RELAY,): 0}


async def test_it_is_not_ready_while_jobs_wait_that_no_worker_takes(site: Site) -> None:
    await site.store.beats.note(SCHEDULER, "a:1", now=NOW, fresh_for=10 * MINUTE)
    site.cluster.queues = [queue("issues", NOW)]
    assert (await site.client.get(READY)).status_code == 200, "a worker may just be about to take it"
    site.now = NOW + 3 * MINUTE
    answer = await site.client.get(READY)
    assert (answer.status_code, answer.json()["workers"]) == (
        503,
        "jobs wait, and no worker that takes them lives",
    )
    site.cluster.workers = [worker("mail-1", site.now)]
    assert (await site.client.get(READY)).status_code == 200
    site.cluster.trouble = "the tables of the jobs are not up to date"
    assert (await site.client.get(READY)).json()["workers"].startswith("the tables of jobs are of another version")
    assert (await metrics_of(site))["newsletter_ledger_up"] == {(): 1}


async def test_who_asks_again_and_again_gets_what_was_measured_a_moment_ago(site: Site) -> None:
    await metrics_of(site)
    await relay_in_trouble(site)
    assert (await metrics_of(site))["newsletter_relay_trouble"] == {(RELAY,): 0}


async def test_without_the_ledger_metrics_say_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(site.store.slow_downs, "known", broken)
    found = await metrics_of(site)
    assert found["newsletter_ledger_up"] == {(): 0}
    assert "newsletter_readers" not in found


async def test_metrics_are_for_the_operators_networks_alone(site: Site) -> None:
    answer = await site.client.get(METRICS, headers={"X-Forwarded-For": "203.0.113.5"})
    assert answer.status_code == 404
    assert "newsletter_" not in answer.text
