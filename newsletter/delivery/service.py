"""Delivers issues, chunk by chunk: what lives as long as the process, and the work of one chunk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

import structlog
from typing_extensions import override

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import LostWorkerError, RelayError
from newsletter.delivery.changed import Changed
from newsletter.delivery.chunk import Chunk
from newsletter.delivery.claims import Claims
from newsletter.delivery.connection import Connection
from newsletter.delivery.limits.domains import DomainLimits
from newsletter.delivery.limits.doubts import Doubts
from newsletter.delivery.limits.kept import KeptLimits
from newsletter.delivery.limits.leased import Leasing
from newsletter.delivery.limits.relays import Relays
from newsletter.delivery.messages.composer import Composer
from newsletter.delivery.messages.signatures import Signatures
from newsletter.delivery.record.journal import Journal
from newsletter.delivery.record.notes import GroupedNotes, JournalledNotes, Notes
from newsletter.delivery.record.recovery import recover
from newsletter.delivery.record.registration import Registration, Worker
from newsletter.delivery.relay import Relay
from newsletter.delivery.settlement import Rules, Settlement
from newsletter.delivery.tally import Tally
from newsletter.delivery.turns import Turns
from newsletter.ports import (
    ChunkDelivery,
    ChunkReport,
    ClaimedDeliveries,
    Clock,
    Message,
    Progress,
    RateLeases,
    SlowDowns,
)

log = structlog.get_logger(__name__)

_GOODBYE = 2.0  # seconds that sessions have to end when everything is delivered


class DeliveryService(ChunkDelivery):
    """Delivers issues over some relays. A process has one of it, and closes it at its end.

    Between chunks it keeps what takes time to begin or must be remembered: open sessions, what is known of relays
    and domains, threads that sign, the worker that is registered with the outbox, and its notes. All of it begins
    when the first chunk needs it. Any number of services, in as many processes, may work on one outbox.
    """

    def __init__(
        self,
        outbox: ClaimedDeliveries,
        relays: Sequence[Relay],
        rules: Rules,
        *,
        batch: int,
        journals: Path | None = None,
        limits: DomainLimits | None = None,
        slow_downs: SlowDowns | None = None,
        rates: RateLeases | None = None,
    ) -> None:
        """Prepare to deliver.

        Args:
            outbox: where deliveries are claimed and recorded.
            relays: see `newsletter.delivery.limits.relays` for what each is given.
            rules: what to do with deliveries that don't go through at once.
            batch: how many deliveries are claimed in one transaction at most.
            journals: a folder of this machine's for journals, where all workers of the outbox run on this
                machine; None: every note is a transaction's.
            limits: how much each recipient domain is sent; None: as much as it takes.
            slow_downs: where it is kept what domains and relays need time for; None: for this process alone.
            rates: by which the rates of relays and domains hold over all processes; None: each for itself.
        """
        self._outbox = outbox
        self._leasing = Leasing(rates) if rates else None
        self._relays = Relays(relays, self._leasing, pauses=rules.pauses, idle_seconds=rules.idle)
        self._rules = rules
        self._batch = batch
        self._journals = journals
        self._limits = limits or DomainLimits()
        if self._leasing:
            self._limits.share(self._leasing)
        self._kept = slow_downs and KeptLimits(slow_downs, self._limits, self._relays, rules.clock)
        self._signatures = Signatures(rules.cores)
        self._turns = Turns(rules.each_turn)
        self._registration = Registration(outbox, self._notes_of, self._recover)

    async def __aenter__(self) -> Self:
        """Begin; nothing is connected, registered or started before there is a chunk."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """End the sessions that wait, the threads, and the worker with its notes. Another chunk begins them anew.

        Raises:
            StoreError: what was noted could not be written.
        """
        self._signatures.end()
        self._signatures = Signatures(self._rules.cores)
        try:
            if self._leasing:
                await self._leasing.end()
            await self._relays.close()
        finally:
            await self._registration.end()

    @override
    async def recover(self) -> None:
        async with self._registration.worker():
            pass  # it is done when a worker is registered, and now and then

    async def deliver_chunk(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        most: int | None = None,
        due_by: datetime | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        """Deliver what is due of one issue, `most` deliveries at most, and by `due_by` if that is given.

        When a relay is in trouble its deliveries are queued again and nobody is suppressed; the chunk ends early,
        and says so, when no relay is left. If others have taken this process for dead, it begins anew by another
        name; what it settled before is not in the report then.
        """
        try:
            return await self._deliver_chunk(issue_key, message_for, most, due_by, progress, stop)
        except LostWorkerError as error:
            log.warning("chunk_begins_anew", reason=str(error))
            return await self._deliver_chunk(issue_key, message_for, most, due_by, progress, stop)

    async def _deliver_chunk(
        self,
        issue_key: int,
        message_for: Callable[[int], Awaitable[Message]],
        most: int | None,
        due_by: datetime | None,
        progress: Progress | None,
        stop: asyncio.Event | None,
    ) -> ChunkReport:
        keeping = self._kept.chunk() if self._kept else nullcontext()
        async with self._registration.worker() as worker, keeping:
            self._limits.begin_chunk()
            chunk = self._chunk(worker, issue_key, partial(message_for, issue_key), most, due_by, progress)
            try:
                await self._work(chunk, stop)
            finally:
                chunk.composer.end()
                # If the ledger can't be written, what the worker holds is brought back with it, and its journal.
                try:
                    await worker.notes.flush()
                finally:
                    left = await chunk.claims.end()
                if left:
                    await self._outbox.release(worker.name, left)
        report = _report(chunk, self._relays.trouble, self._relays.waiting)
        if report.settled:
            counts = {state.value: count for state, count in sorted(chunk.settlement.tally.states.items())}
            log.info("chunk_delivered", issue=issue_key, returned=report.returned, **counts)
        return report

    async def _recover(self) -> None:
        await recover(self._outbox, self._rules.uncertain, now=self._rules.clock(), journals=self._journals)

    def _notes_of(self, worker: str) -> Notes:
        batch = 2 * self._batch  # an intent and an outcome of each delivery
        if self._journals is None:
            return GroupedNotes(self._outbox, worker, batch=batch)
        return JournalledNotes(self._outbox, partial(Journal, self._journals, worker), batch=batch)

    def _chunk(
        self,
        worker: Worker,
        issue_key: int,
        message: Callable[[], Awaitable[Message]],
        most: int | None,
        due_by: datetime | None,
        progress: Progress | None,
    ) -> Chunk:
        changed = Changed()
        claims = Claims(
            self._outbox,
            worker.name,
            issue_key,
            changed=changed,
            limits=self._limits,
            clock=self._rules.clock if due_by is None else partial(_no_later, due_by, self._rules.clock),
            batch=self._batch,
            most=most,
        )
        settlement = Settlement(
            outbox=self._outbox,
            claims=claims,
            notes=worker.notes,
            rules=self._rules,
            tally=Tally(self._outbox, issue_key, progress),
        )
        composer = Composer(message, self._signatures)
        return Chunk(claims=claims, composer=composer, settlement=settlement, changed=changed, turns=self._turns)

    async def _work(self, chunk: Chunk, stop: asyncio.Event | None) -> None:
        """Let all connections work until they are through."""
        # A connection has one message on its way, and may have announced the next.
        doubts = [Doubts(relay.name, in_flight=2 * relay.smtp.connections) for relay in self._relays.members]
        connections = [
            Connection(chunk, self._relays, relay, of_relay)
            for relay, of_relay in zip(self._relays.members, doubts, strict=True)
            for _ in range(relay.smtp.connections)
        ]
        with self._relays.chunk():
            tasks = [connection.start() for connection in connections]
            watching = asyncio.create_task(self._watch(chunk, connections, stop))
            try:
                await asyncio.wait(tasks)
            finally:
                watching.cancel()
                chunk.stop()
                await _cut_off(connections)  # they are through, unless this chunk is cancelled itself
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
        if errors:
            raise errors[0]
        await self._relays.give_back()
        if not (stop and stop.is_set()):
            await self._conclude(chunk, doubts)

    async def _conclude(self, chunk: Chunk, doubts: Sequence[Doubts]) -> None:
        """Decide what is in doubt still; a relay that refused all and took nothing is in trouble."""
        for relay, of_relay in zip(self._relays.members, doubts, strict=True):
            if trouble := await chunk.settlement.conclude(of_relay):
                chunk.trouble = chunk.trouble or trouble
                relay.failed(RelayError(trouble), relay.health.failures)

    async def _watch(self, chunk: Chunk, connections: list[Connection], stop: asyncio.Event | None) -> None:
        """Stop the chunk when it is asked to, and cut off what takes long then."""
        stopping = asyncio.create_task(_stop_when_set(stop, chunk)) if stop else None
        try:
            while not chunk.is_over:
                await chunk.changed.wait()
            for connection in connections:
                connection.wait_no_longer()
            await asyncio.sleep(self._rules.grace if chunk.stopped else _GOODBYE)
        finally:
            if stopping:
                stopping.cancel()
        await _cut_off(connections)


def _no_later(moment: datetime, clock: Clock) -> datetime:
    return min(moment, clock())


async def _stop_when_set(stop: asyncio.Event, chunk: Chunk) -> None:
    await stop.wait()
    chunk.stop()


async def _cut_off(connections: list[Connection]) -> None:
    await asyncio.gather(*(connection.cut_off() for connection in connections))


def _report(chunk: Chunk, trouble: str, waiting: str) -> ChunkReport:
    states, returned = chunk.settlement.tally.states, chunk.settlement.returned
    return ChunkReport(
        sent=states[DeliveryState.SENT],
        deferred=states[DeliveryState.DEFERRED],
        refused=states[DeliveryState.REFUSED],
        uncertain=states[DeliveryState.UNCERTAIN],
        returned=returned,
        trouble=chunk.trouble or (trouble if returned else ""),
        waiting=waiting,
    )
