"""Figures as Prometheus reads them: names by https://prometheus.io/docs/practices/naming/.

Only this module imports prometheus-client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from typing_extensions import override

from newsletter.operations.measuring import Figures, ListFigures
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
            yield from _of_program(self._figures)


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


def _beaten_at(beat: Beat) -> datetime:
    return beat.at


def _fresh_until(beat: Beat) -> datetime:
    return beat.fresh_until


_BEATS = (
    ("beat", "When work was done last: that of the scheduler, or a run.", _beaten_at),
    ("beat_due", "By when it is to be done again.", _fresh_until),
)
