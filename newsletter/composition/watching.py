"""The composition of what watches the program and tells monitoring how it does. It stands above the root."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import newsletter
from newsletter.bootstrap import utc_now
from newsletter.core.errors import ConfigurationError, NewsletterError, StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from newsletter.bootstrap import Program
    from newsletter.operations.ledger_trouble import Tells
    from newsletter.outgoing.heartbeat import Heartbeat
    from newsletter.readers.background import Background
    from newsletter.scheduling.watch import Watch
    from newsletter.web.clients import Clients
    from newsletter.web.monitoring import Monitoring

LOOK_EVERY = timedelta(minutes=5)
_SECONDS_BETWEEN_BEATS = 15.0
_SECONDS_BETWEEN_HEARTBEATS = 300.0
# A tick beats when it ends; some are late on a busy machine.
_LATE_TICKS = 4
_LEAST_FRESH = timedelta(minutes=2)
# Cron calls `run` once a day at least.
_RUN_IS_FRESH_FOR = timedelta(hours=26)
_HEARTBEAT_TIMEOUT = 10.0


def watch(program: Program) -> Watch:
    """Return what looks for trouble that no single run can see."""
    from newsletter.composition.clustering import cluster_reader
    from newsletter.core.watching import Limit
    from newsletter.scheduling.watch import Limits, Watch

    settings = program.settings.alarm
    return Watch(
        store=program.store,
        lists=program.lists,
        source_names=program.source_names,
        alarm=program.alarm,
        limits=Limits(
            bounces=Limit(percent=settings.bounces, least=settings.bounces_least),
            complaints=Limit(percent=settings.complaints, least=settings.complaints_least),
            relay_after=settings.relay_after,
            no_worker_after=settings.no_worker_after,
        ),
        cluster=cluster_reader(program),
        mark=program.mark,
        folder=program.settings.paths.state,
        model=program.settings.summaries.model,
    )


def monitoring(program: Program, clients: Clients) -> Monitoring:
    """Return what answers whether the process is ready, and what it measures."""
    from newsletter.composition.clustering import cluster_reader
    from newsletter.operations.measuring import Measurer
    from newsletter.operations.readiness import readiness
    from newsletter.web.monitoring import Monitoring

    relays = relay_names(program)
    cluster = cluster_reader(program)
    measurer = Measurer(
        store=program.store,
        lists=program.lists,
        source_names=program.source_names,
        relays=relays,
        cluster=cluster,
    )
    return Monitoring(
        readiness=lambda: readiness(program.store, relays, cluster, now=utc_now()),
        measure=lambda: measurer.figures(utc_now()),
        version=newsletter.__version__,
        networks=program.settings.web.admin_networks,
        clients=clients,
    )


def relay_names(program: Program) -> tuple[str, ...]:
    """Return the names by which the ledger knows the relays."""
    smtp = program.settings.smtp
    return tuple(f"{relay.host}:{relay.port}" for relay in (smtp, *smtp.relays))


class Pulse:
    """Shows that `serve` does its work, by beats and the heartbeat, and rings if the ledger cannot be used."""

    def __init__(self, program: Program, tell: Tells) -> None:
        """Begin; nothing was shown yet.

        Args:
            program: the program.
            tell: tells the operator without the ledger.
        """
        from newsletter.operations.ledger_trouble import LedgerTrouble
        from newsletter.readers.background import Background

        every = timedelta(seconds=program.settings.schedule.tick)
        self._program = program
        self._fresh_for = max(_LEAST_FRESH, _LATE_TICKS * every)
        self._next_beat = self._next_heartbeat = 0.0
        self._heartbeat = heartbeat(program)
        self._trouble = LedgerTrouble(program.settings.paths.state / "alarms" / "ledger", tell, utc_now)
        self.background: Background = Background("heartbeat", self._send)

    async def of(self, tick: Awaitable[None]) -> None:
        """Let a tick do its work, and show that it has ended well.

        Raises: as the tick does.
        """
        try:
            await tick
            await self._show()
        except StoreError as error:
            await self._trouble.failed(error)
            raise
        await self._trouble.worked()

    async def _show(self) -> None:
        """Show that a tick has ended well, unless that was shown a moment ago."""
        from newsletter.ports.beats import SCHEDULER

        now = monotonic()
        if now >= self._next_beat:
            self._next_beat = now + _SECONDS_BETWEEN_BEATS
            await self._program.store.beats.note(SCHEDULER, _process(), now=utc_now(), fresh_for=self._fresh_for)
        if self._heartbeat is not None and now >= self._next_heartbeat:
            self._next_heartbeat = now + _SECONDS_BETWEEN_HEARTBEATS
            self.background.soon()

    async def _send(self, _: asyncio.Event) -> bool:
        if self._heartbeat is not None and await is_well(program=self._program):
            await self._heartbeat.beat()
        return True


async def look_at_end(program: Program) -> None:
    """Look for trouble where an error ended the work: it may be why. Never raises."""
    with suppress(ConfigurationError, NewsletterError):
        await watch(program).look(utc_now())


async def run_ended(program: Program, *, is_good: bool) -> None:
    """Look for trouble at the end of a `run`, and show that it has ended.

    Args:
        program: the program.
        is_good: whether the run did all that was to be done.
    """
    import structlog

    from newsletter.ports.beats import RUN

    try:
        await watch(program).look(utc_now())
        await program.store.beats.note(RUN, _process(), now=utc_now(), fresh_for=_RUN_IS_FRESH_FOR)
        beating = heartbeat(program)
        if beating is not None and is_good and await is_well(program):
            await beating.beat()
    except (ConfigurationError, NewsletterError) as error:  # the run itself is done
        structlog.get_logger(__name__).warning("not_watched", reason=str(error))


async def is_well(program: Program) -> bool:
    """Return whether no alarm lasts that keeps issues or mail back."""
    from newsletter.core.alarms import HARMLESS

    return all(one.cause in HARMLESS for one in await program.store.alarms.lasting())


def heartbeat(program: Program) -> Heartbeat | None:
    """Return what asks for the operator's address, if there is one."""
    url = program.settings.alarm.heartbeat.get_secret_value()
    if not url:
        return None
    from newsletter.outgoing.heartbeat import Heartbeat
    from newsletter.sources.http.poster import WebPoster

    poster = WebPoster(user_agent=program.settings.http.user_agent, timeout=_HEARTBEAT_TIMEOUT, public_only=False)
    program.at_end(poster.aclose)
    return Heartbeat(url, poster)


def _process() -> str:
    """Return the name of this process in the ledger."""
    return f"{socket.gethostname()}:{os.getpid()}"
