"""What `status` says of workers and their jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from newsletter.cli.clusters import cluster_facts, cluster_json, rate_of
from newsletter.operations.cluster import Cluster
from tests.clusters import queue, worker

NOW = datetime(2026, 3, 12, 8, tzinfo=UTC)


def test_each_worker_and_each_queue_with_jobs_has_a_line_and_says_what_is_to_be_done() -> None:
    waits = [queue("issues", NOW - timedelta(minutes=3), due=1200, doing=3), queue("mails", None)]
    cluster = Cluster(workers=[worker("mail-1", NOW, queues=("mails",), busy=1)], queues=waits, rates={})
    at = NOW + timedelta(seconds=3)
    assert list(cluster_facts(cluster, at, "Europe/Paris")) == [
        (
            "worker",
            (
                "worker on mail-1 (mail-1-17-0a1b2c3d), version 1.2.3, since 2026-03-12 09:00, takes mails: "
                "1 of 4 chunks at work, last sign 3 s ago"
            ),
        ),
        (
            "jobs",
            (
                "issues: 1,200 jobs due, 3 at work, the oldest since 2026-03-12 08:57; "
                "no living worker takes them: start `newsletter worker`"
            ),
        ),
    ]
    trouble = Cluster(rates={}, trouble="papers: the tables of the jobs are not up to date")
    assert list(cluster_facts(trouble, at, "UTC")) == [
        ("jobs", "not known: papers: the tables of the jobs are not up to date")
    ]


def test_a_rate_is_said_where_a_relay_took_mail() -> None:
    cluster = Cluster(rates={"a:25": 1234.5, "b:25": 0.0667})
    said = [rate_of(cluster, name) for name in ("a:25", "b:25", "c:25")]
    assert said == ["; 1,234 mails/s in the last minute", "; 0.067 mails/s in the last minute", ""]


def test_machines_get_the_same() -> None:
    cluster = Cluster(workers=[worker("a", NOW)], queues=[queue("issues", NOW)], rates={"a:25": 2 / 3})
    found = json.loads(json.dumps(cluster_json(cluster), default=str))
    assert found["workers"][0]["host"] == "a"
    assert found["jobs"] == [
        {"queue": "issues", "todo": 1, "later": 0, "doing": 0, "oldest": "2026-03-12 08:00:00+00:00"}
    ]
    assert found["relay_rates"] == {"a:25": 0.667}
