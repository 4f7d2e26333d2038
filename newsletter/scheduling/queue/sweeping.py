"""Looks after the jobs: those that lack are added, those of dead workers brought back, those of no use removed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from newsletter.core.errors import StoreError
from newsletter.core.jobs import CHUNK, MOST_AT_ONCE, lacking
from newsletter.ports import Clock, Halts, JobQueue, Outbox

log = structlog.get_logger(__name__)

EVERY = 10.0  # seconds; a dead worker's jobs are brought back within two of these, after `jobs.SILENT`


class Sweep:
    """Holds the jobs against the ledger. Any number of processes have one: the database says whose turn it is."""

    def __init__(
        self,
        jobs: JobQueue,
        outbox: Outbox,
        halts: Halts,
        clock: Clock,
        *,
        recover: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Prepare.

        Args:
            jobs: the jobs.
            outbox: the ledger's deliveries.
            halts: what the operator said of issues.
            clock: says what is due.
            recover: brings back what dead workers held; None: others do.
        """
        self._jobs, self._outbox, self._halts = jobs, outbox, halts
        self._clock = clock
        self._recover = recover
        self._trouble = ""  # why the last one failed, as it was logged

    async def until(self, stop: asyncio.Event) -> None:
        """Look after the jobs, at intervals, until `stop` is set; what goes wrong is logged once."""
        while not stop.is_set():
            try:
                if await self._jobs.takes_turn(EVERY):
                    await self.once()
                self._trouble = ""
            except StoreError as error:
                if str(error) != self._trouble:
                    log.warning("jobs_not_looked_after", reason=str(error))
                self._trouble = str(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY)

    async def once(self) -> None:
        """Look after the jobs now.

        Raises:
            StoreError: the database cannot be reached.
        """
        if self._recover is not None and await self._outbox.dead_workers():
            await self._recover()
        if count := await self._jobs.bring_back():
            log.info("jobs_brought_back", count=count)
        open_issues = await self._outbox.open_issues()
        for key in {*await self._jobs.issues()} - {*open_issues}:
            await self._jobs.drop(key)
        for key in open_issues:
            await self._provide(key)
        await self._jobs.ask_for_mails()

    async def _provide(self, key: int) -> None:
        """Let an issue have as many jobs as its due deliveries need; none if it is halted."""
        if (await self._halts.of(key)).halt:
            await self._jobs.drop(key)
            return
        now = self._clock()
        due = await self._outbox.due_count(key, by=now, most=CHUNK * MOST_AT_ONCE)
        if not due:
            return
        await self._jobs.hasten(key, now=now)
        stand = await self._jobs.of_issue(key)
        if not (stand.trouble or stand.waiting):
            await self._jobs.add(lacking(key, due, stand.todo + stand.doing))
