"""Empties the outbox: every due delivery is handed to a relay, with its intent before and its outcome after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import structlog

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError
from newsletter.delivery.changed import Bell
from newsletter.delivery.chunk import Rules, Run, Tally
from newsletter.delivery.claims import Supply
from newsletter.delivery.connection import Connection
from newsletter.delivery.limits.domains import DomainLimits
from newsletter.delivery.limits.doubts import Doubts
from newsletter.delivery.limits.kept import Recollection
from newsletter.delivery.limits.relays import Relays
from newsletter.delivery.messages.composer import Messages
from newsletter.delivery.record.journal import Journal
from newsletter.delivery.record.notes import GroupCommit, Journalled, Ledger
from newsletter.delivery.record.recovery import recover
from newsletter.delivery.smtp.session import Pool
from newsletter.ports import DispatchReport, Hindrances, Message, Outbox, Progress

log = structlog.get_logger(__name__)

_GRACE = 6.0  # seconds that messages in flight have when the run is to stop
_GOODBYE = 2.0  # seconds that sessions have to end when everything is delivered


class Dispatcher:
    """Delivers what is due, over the connections of some relays; honours `ports.Dispatcher`.

    Several may work on one outbox at once, in as many processes.
    """

    def __init__(
        self,
        outbox: Outbox,
        pools: Sequence[Pool],
        rules: Rules,
        *,
        batch: int = 100,
        journals: Path | None = None,
        limits: DomainLimits | None = None,
        hindrances: Hindrances | None = None,
        grace: float = _GRACE,
    ) -> None:
        """Prepare to deliver.

        Args:
            outbox: where deliveries are claimed and recorded.
            pools: the relays; see `newsletter.delivery.limits.relays` for what each is given.
            rules: what to do with deliveries that don't go through at once.
            batch: how many deliveries are claimed in one transaction.
            journals: a folder of this machine's for journals, where all workers of the outbox run on this
                machine; None: every note is a transaction's.
            limits: how much each recipient domain is sent; None: as much as it takes.
            hindrances: where it is kept what domains and relays need time for; None: for this process alone.
            grace: seconds that messages in flight have when the run is to stop.
        """
        self._outbox = outbox
        self._relays = Relays(pools, rules.pauses)
        self._rules = rules
        self._batch = batch
        self._journals = journals
        self._limits = limits or DomainLimits()
        self._recollection = hindrances and Recollection(hindrances, self._limits, self._relays, rules.clock)
        self._grace = grace

    async def deliver(
        self,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        issue_key: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> DispatchReport:
        """Deliver what is due, of one issue or of all; see `ports.Dispatcher`.

        What dead processes held is brought back first. When a relay is in trouble its deliveries are queued
        again and nobody is suppressed; the run ends early, and says so, when no relay is left.

        Raises:
            StoreError: the ledger cannot be written; nothing is sent without a recorded intent.
        """
        recollecting = self._recollection.run() if self._recollection else nullcontext()
        async with self._outbox.worker() as worker, recollecting:
            self._limits.begin_run()
            await recover(self._outbox, self._rules.uncertain, now=self._rules.clock(), journals=self._journals)
            run = self._run(worker, issue_key, Messages(message_for), progress)
            try:
                await self._work(run, stop)
            finally:
                run.messages.end()
                # If the ledger can't be written what we hold stays ours, to be recovered with the journal.
                try:
                    await run.ledger.drain()
                finally:
                    await run.supply.end()
                await self._outbox.release(worker)
        return _report(run, self._relays.trouble)

    def _run(self, worker: str, issue_key: int | None, messages: Messages, progress: Progress | None) -> Run:
        bell = Bell()
        supply = Supply(
            self._outbox,
            worker,
            bell,
            self._limits,
            clock=self._rules.clock,
            batch=self._batch,
            issue_key=issue_key,
        )
        return Run(
            outbox=self._outbox,
            supply=supply,
            ledger=self._ledger(worker),
            rules=self._rules,
            messages=messages,
            tally=Tally(self._outbox, progress),
            bell=bell,
        )

    def _ledger(self, worker: str) -> Ledger:
        if self._journals is None:
            return GroupCommit(self._outbox)
        # An intent and an outcome of each delivery.
        return Journalled(self._outbox, partial(Journal, self._journals, worker), batch=2 * self._batch)

    async def _work(self, run: Run, stop: asyncio.Event | None) -> None:
        """Let all connections work until they are through."""
        # A connection has one message on its way, and may have announced the next.
        doubts = [Doubts(one.pool.name, in_flight=2 * one.pool.connections) for one in self._relays.members]
        connections = [
            Connection(run, self._relays, relay, of_relay)
            for relay, of_relay in zip(self._relays.members, doubts, strict=True)
            for _ in range(relay.pool.connections)
        ]
        with self._relays.run():
            tasks = [connection.start() for connection in connections]
            watching = asyncio.create_task(self._watch(run, connections, stop))
            try:
                await asyncio.wait(tasks)
            finally:
                watching.cancel()
                run.stop()
                await _cut_off(connections)  # they are through, unless this run is cancelled itself
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
        if errors:
            raise errors[0]
        if not (stop and stop.is_set()):
            await self._conclude(run, doubts)

    async def _conclude(self, run: Run, doubts: Sequence[Doubts]) -> None:
        """Decide what is in doubt still; a relay that refused all and took nothing is in trouble."""
        for member, of_relay in zip(self._relays.members, doubts, strict=True):
            if trouble := await run.conclude(of_relay):
                run.trouble = run.trouble or trouble
                member.health.failed(RelayError(trouble), member.health.failures)

    async def _watch(self, run: Run, connections: list[Connection], stop: asyncio.Event | None) -> None:
        """Stop the run when it is asked to, and cut off what takes long then."""
        heeding = asyncio.create_task(_heed(stop, run)) if stop else None
        try:
            while not run.is_over:
                await run.bell.wait()
            for connection in connections:
                connection.wait_no_longer()
            await asyncio.sleep(self._grace if run.stopped else _GOODBYE)
        finally:
            if heeding:
                heeding.cancel()
        await _cut_off(connections)


async def _heed(stop: asyncio.Event, run: Run) -> None:
    await stop.wait()
    run.stop()


async def _cut_off(connections: list[Connection]) -> None:
    await asyncio.gather(*(connection.cut_off() for connection in connections))


def _report(run: Run, trouble: str) -> DispatchReport:
    states, returned = run.tally.states, len(run.returned)
    return DispatchReport(
        sent=states[DeliveryState.SENT],
        deferred=states[DeliveryState.DEFERRED],
        refused=states[DeliveryState.REFUSED],
        uncertain=states[DeliveryState.UNCERTAIN],
        returned=returned,
        trouble=run.trouble or (trouble if returned else ""),
    )
