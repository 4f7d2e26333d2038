"""Delivery by as many processes as are worth it: small issues by this one, big ones by several together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Protocol

import structlog
from typing_extensions import override

from newsletter.core.steps import OPEN
from newsletter.delivery.processes.team import StartChild, Team, Together, Work, added
from newsletter.ports import ChunkDelivery, ChunkReport, Clock, Message, Outbox, Progress
from newsletter.stopping import stopping_after

log = structlog.get_logger(__name__)

_KEPT = 20.0  # seconds for which processes wait for more to deliver
_ALONE_FOR = 600.0  # seconds after processes have died one after the other


class DeliveryHere(ChunkDelivery, Protocol):
    """Delivers in this process, and keeps sessions and a worker until it is closed."""

    async def close(self) -> None:
        """End what is kept; another chunk begins it anew."""
        ...


class _Users:
    """Counts chunks that use something; `are_gone` is set while there are none."""

    def __init__(self) -> None:
        self.count = 0
        self.are_gone = asyncio.Event()
        self.are_gone.set()

    def come(self) -> None:
        """Note one more."""
        self.count += 1
        self.are_gone.clear()

    def go(self) -> None:
        """Note one less."""
        self.count -= 1
        if not self.count:
            self.are_gone.set()


class ManyProcesses(ChunkDelivery):
    """Delivers in this process, or together with others.

    Connections and rates are those of the relay, so at any moment either this process has them all (`alone`), or
    each process has its share. When a big issue comes, what is delivered alone stops, and goes on in the team.
    When there has been nothing to deliver for some seconds, the team ends.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        *,
        alone: DeliveryHere,
        sharing: DeliveryHere | None,
        start: StartChild,
        places: Sequence[int],
        worth: int,
        kept: float = _KEPT,
    ) -> None:
        """Begin; no process is started yet.

        Args:
            outbox: says how much is due.
            clock: says what is due.
            alone: delivers here with all connections.
            sharing: delivers here with the share of this process; None: it only supervises the others.
            start: starts the process at a place.
            places: of the others.
            worth: how many deliveries must be due, so that several processes are worth it.
            kept: seconds for which they wait for more to deliver.
        """
        self._outbox, self._clock = outbox, clock
        self._alone, self._sharing = alone, sharing
        self._start, self._numbers = start, places
        self._worth, self._kept = worth, kept
        self._changing = asyncio.Lock()  # held while the team begins or ends
        self._team: Team | None = None
        self._users = _Users()  # of the team
        self._ending: asyncio.Task[None] | None = None
        self._alone_until = -float("inf")  # in the loop's time
        self._chunks_alone = _Users()
        self._hand_over = asyncio.Event()  # set: what is delivered alone is to go on in the team

    async def close(self) -> None:
        """End all processes, and what this one keeps.

        Raises:
            StoreError: what was noted could not be written.
        """
        try:
            async with self._changing:
                if self._ending:
                    self._ending.cancel()
                await self._end_team()
        finally:
            await self._alone.close()

    @override
    async def recover(self) -> None:
        await self._alone.recover()

    @override
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
        work = Work(
            issue_key=issue_key,
            message_for=message_for,
            most=most,
            due_by=due_by,
            stop=stop or asyncio.Event(),
            progress=await self._together(issue_key, progress),
        )
        report = ChunkReport()
        while True:
            left = replace(work, most=None if most is None else most - report.settled)
            async with self._hands(is_big=await self._is_big(left)) as team:
                if team is None:
                    some, is_through = await self._deliver_alone(left)
                else:
                    some, is_through = await self._deliver_by(team, left)
            report = added(replace(report, returned=0, trouble="", waiting=""), some)
            if is_through or work.stop.is_set() or (most is not None and report.settled >= most):
                return await self._concluded(report, work)

    async def _deliver_alone(self, work: Work) -> tuple[ChunkReport, bool]:
        """Deliver here, until others are to help; return whether nothing is left to do, too."""
        async with stopping_after(self._hand_over.wait, work.stop) as stop:
            report = await self._alone.deliver_chunk(
                work.issue_key,
                work.message_for,
                most=work.most,
                due_by=work.due_by,
                progress=work.progress,
                stop=stop,
            )
        return report, not self._hand_over.is_set()

    async def _deliver_by(self, team: Team, work: Work) -> tuple[ChunkReport, bool]:
        """Deliver by the team; return whether nothing is left to do, too."""
        is_for_all = work.most is None or work.most >= self._worth
        report = await (team.deliver_together(work) if is_for_all else team.deliver_by_one(work))
        return report, not team.is_broken

    async def _is_big(self, work: Work) -> bool:
        """Return whether so much of the issue is due that several processes are worth it."""
        if self._team or asyncio.get_running_loop().time() < self._alone_until:
            return False  # it makes no difference
        now = self._clock() if work.due_by is None else min(self._clock(), work.due_by)
        return await self._outbox.due_count(work.issue_key, by=now, most=self._worth) >= self._worth

    @asynccontextmanager
    async def _hands(self, *, is_big: bool) -> AsyncIterator[Team | None]:
        """Give the team for one chunk, or None: it is for this process alone."""
        async with self._changing:
            if self._ending:
                self._ending.cancel()  # it sleeps, or waits for the lock
            if self._team and self._team.is_broken:
                await self._users.are_gone.wait()
                await self._end_team()
            elif self._team is None and is_big:
                await self._begin_team()
            team = self._team
            users = self._users if team else self._chunks_alone
            users.come()
        try:
            yield team
        finally:
            users.go()
            if team and not users.count:
                self._ending = asyncio.create_task(self._end_team_later(team))

    async def _begin_team(self) -> None:
        """Let this process give up its connections, and have the team made."""
        self._hand_over.set()
        try:
            await self._chunks_alone.are_gone.wait()
            await self._alone.close()
        finally:
            self._hand_over.clear()
        self._team = Team(self._sharing, self._numbers, self._start)
        log.info("delivering_by_processes", count=len(self._numbers) + (self._sharing is not None))

    async def _end_team_later(self, team: Team) -> None:
        await asyncio.sleep(0 if team.is_broken else self._kept)
        async with self._changing:
            if self._team is team and not self._users.count:
                await self._end_team()

    async def _end_team(self) -> None:
        team, self._team = self._team, None
        if team is None:
            return
        if team.is_broken:
            reason = "processes died one after the other"
            log.warning("delivering_by_one_process", reason=reason, seconds=_ALONE_FOR)
            self._alone_until = asyncio.get_running_loop().time() + _ALONE_FOR
        await team.end()

    async def _together(self, issue_key: int, progress: Progress | None) -> Together | None:
        if progress is None:
            return None
        counts = await self._outbox.counts(issue_key)
        return Together(progress, sum(counts.get(state, 0) for state in OPEN))

    async def _concluded(self, report: ChunkReport, work: Work) -> ChunkReport:
        """Return the report without trouble that one had, if others have done its work."""
        if not report.returned or work.stop.is_set():
            return report
        now = self._clock() if work.due_by is None else min(self._clock(), work.due_by)
        if await self._outbox.due_count(work.issue_key, by=now, most=1):
            return report
        return replace(report, returned=0, trouble="")
