"""Figures as Prometheus reads them: names by https://prometheus.io/docs/practices/naming/.

Only this module imports prometheus-client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from typing_extensions import override

from newsletter.operations.cluster import Cluster
from newsletter.operations.measuring import Figures, ListFigures
from newsletter.ports import LiveWorker
from newsletter.ports.beats import Beat


def exposition(figures: Figures | None, *, version: str, accept: str) -> tuple[bytes, str]:
    """Return figures as text, and its Content-Type.

    Args:
        figures: what was measured; None: the ledger cannot be read.
        version: of the program.
        accept: which formats the client takes, as its header says.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(figures, version))
    ProcessCollector(registry=registry)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Collected(Collector):
    """Gives what was measured a moment ago."""

    def __init__(self, figures: Figures | None, version: str) -> None:
        self._figures, self._version = figures, version

    @override
    def collect(self) -> Iterable[Metric]:
        yield InfoMetricFamily("newsletter", "The program.", value={"version": self._version})
        up = GaugeMetricFamily("newsletter_ledger_up", "Whether the ledger can be read.")
        up.add_metric([], self._figures is not None)
        yield up
        if self._figures is not None:
            yield from _of_lists(self._figures.lists)
            yield from _of_delivery(self._figures)
            yield from _of_sources(self._figures)
            yield from _of_cluster(self._figures)
            yield from _of_program(self._figures)
            yield from _of_models(self._figures)


def _of_lists(lists: Iterable[ListFigures]) -> Iterator[Metric]:
    readers = GaugeMetricFamily("newsletter_readers", "Readers, as they were counted last.", labels=["list"])
    last = GaugeMetricFamily(
        "newsletter_last_issue_timestamp_seconds", "When the newest issue was closed.", labels=["list"]
    )
    following = GaugeMetricFamily(
        "newsletter_next_issue_timestamp_seconds", "When the next issue is due.", labels=["list"]
    )
    deliveries = GaugeMetricFamily(
        "newsletter_deliveries", "Deliveries of the newest issue, by state.", labels=["list", "state"]
    )
    for one in lists:
        if one.readers is not None:
            readers.add_metric([one.list], one.readers)
        if one.newest is not None:
            last.add_metric([one.list], one.newest.frozen_at.timestamp())
            for state, number in one.newest.deliveries.items():
                deliveries.add_metric([one.list, state.value], number)
        if one.next_at is not None:
            following.add_metric([one.list], one.next_at.timestamp())
    yield from (readers, last, following, deliveries)


def _of_delivery(figures: Figures) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "newsletter_open_deliveries", "Deliveries of all issues that are not made yet.", labels=["list", "state"]
    )
    for (list_name, state), number in figures.open_deliveries.items():
        waiting.add_metric([list_name, state.value], number)
    relays = GaugeMetricFamily("newsletter_relay_trouble", "Whether a relay is in trouble.", labels=["relay"])
    for name, is_troubled in figures.relays.items():
        relays.add_metric([name], is_troubled)
    yield from (waiting, relays)


def _of_cluster(figures: Figures) -> Iterator[Metric]:
    cluster = figures.cluster
    says = "Mails that a relay took a second in the last minute."
    rates = GaugeMetricFamily("newsletter_relay_mails_per_second", says, labels=["relay"])
    for name in sorted({*figures.relays, *cluster.rates}):
        rates.add_metric([name], cluster.rates.get(name, 0.0))
    yield rates
    yield from _of_workers(cluster)
    yield from _of_queues(cluster)


def _of_workers(cluster: Cluster) -> Iterator[Metric]:
    """Yield sums of machines: the name of a worker is new each time, and would make a new series each time."""
    groups: dict[tuple[str, ...], list[LiveWorker]] = {}
    for one in cluster.workers:
        groups.setdefault((one.host, one.kind, one.version), []).append(one)
    for name, what, value_of in _WORKERS:
        family = GaugeMetricFamily(f"newsletter_{name}", what, labels=["host", "kind", "version"])
        for group, workers in groups.items():
            family.add_metric(group, sum(map(value_of, workers)))
        yield family


def _of_queues(cluster: Cluster) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("newsletter_jobs", "Jobs of workers, by state.", labels=["queue", "state"])
    oldest = GaugeMetricFamily(
        "newsletter_oldest_due_job_timestamp_seconds",
        "Since when the oldest job is due that no worker has taken.",
        labels=["queue"],
    )
    for one in cluster.queues:
        for state, number in (("due", one.todo), ("later", one.later), ("doing", one.doing)):
            jobs.add_metric([one.queue, state], number)
        if one.oldest is not None:
            oldest.add_metric([one.queue], one.oldest.timestamp())
    yield from (jobs, oldest)


def _of_sources(figures: Figures) -> Iterator[Metric]:
    read = GaugeMetricFamily(
        "newsletter_source_last_success_timestamp_seconds", "When a source last answered.", labels=["source"]
    )
    failing = GaugeMetricFamily(
        "newsletter_source_failing", "Whether the last try to read a source failed.", labels=["source"]
    )
    for source in figures.sources:
        if source.read_at is not None:
            read.add_metric([source.source], source.read_at.timestamp())
        failing.add_metric([source.source], bool(source.error))
    yield from (read, failing)


def _of_program(figures: Figures) -> Iterator[Metric]:
    alarms = GaugeMetricFamily("newsletter_alarms_active", "Alarms that last, by cause.", labels=["cause"])
    for cause, number in figures.alarms.items():
        alarms.add_metric([cause.value], number)
    yield alarms
    for name, what, moment_of in _BEATS:
        beats = GaugeMetricFamily(f"newsletter_{name}_timestamp_seconds", what, labels=["work"])
        for beat in figures.beats:
            beats.add_metric([beat.work], moment_of(beat).timestamp())
        yield beats
    notices = GaugeMetricFamily(
        "newsletter_notices", "Notices to others that wait, or were given up.", labels=["receiver", "state"]
    )
    for counts in figures.notices:
        notices.add_metric([counts.receiver, "waiting"], counts.waiting)
        notices.add_metric([counts.receiver, "given_up"], counts.given_up)
    yield notices


def _of_models(figures: Figures) -> Iterator[Metric]:
    requests = CounterMetricFamily("newsletter_model_requests", "Requests to a model.", labels=["model"])
    refused = CounterMetricFamily(
        "newsletter_model_refused", "Answers of a model that were not used.", labels=["model"]
    )
    tokens = CounterMetricFamily(
        "newsletter_model_tokens", "Tokens that a model read (in) or wrote (out).", labels=["model", "direction"]
    )
    for name, usage in figures.models.items():
        requests.add_metric([name], usage.requests)
        refused.add_metric([name], usage.refused)
        tokens.add_metric([name, "in"], usage.tokens_in)
        tokens.add_metric([name, "out"], usage.tokens_out)
    yield from (requests, refused, tokens)


def _beaten_at(beat: Beat) -> datetime:
    return beat.at


def _fresh_until(beat: Beat) -> datetime:
    return beat.fresh_until


_BEATS = (
    ("beat", "When work was done last: that of the scheduler, or a run.", _beaten_at),
    ("beat_due", "By when it is to be done again.", _fresh_until),
)


def _one(_: LiveWorker) -> int:
    return 1


def _most_chunks(worker: LiveWorker) -> int:
    return worker.concurrency


def _chunks(worker: LiveWorker) -> int:
    return worker.busy


_WORKERS = (
    ("workers", "Workers that live.", _one),
    ("worker_chunks_limit", "How many chunks they deliver at once.", _most_chunks),
    ("worker_chunks", "How many chunks they deliver now.", _chunks),
)
