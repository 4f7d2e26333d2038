"""Deliver: hand an issue's mail to the relays, within the list's hours and not too late."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from structlog.contextvars import bound_contextvars

from newsletter.core.calendar import closing, opening
from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import NewsletterList
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.hours import stopping_at, withdraw_late
from newsletter.pipeline.publish import WithoutRepeats, had_before
from newsletter.ports import Clock, Dispatcher, DispatchReport, Message, Progress, Renderer, Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What delivering one issue came to by the moment `ended_at`.

    `waits_until` is when the list's hours begin, if mail may not leave then; None: it may.
    """

    issue: Issue
    report: DispatchReport
    ended_at: datetime
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverStage:
    """Delivers issues. It takes as long as it takes, so it reads the clock by itself, by `clock`."""

    store: Store
    renderer: Renderer
    dispatcher: Dispatcher
    mark: HighWaterMark
    clock: Clock

    async def deliver_open(
        self,
        list_: NewsletterList,
        *,
        first: Issue | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> list[Delivered]:
        """Deliver what is due of a list's issues, within its hours; withdraw what is too late.

        Args:
            list_: the list.
            first: the issue that goes before all others; None: the oldest day goes first.
            progress: hears of each delivery.
            stop: when set, what is in flight is finished and the rest left for the next time.

        Raises:
            StoreError: the ledger cannot be read or written.
        """
        return [
            await self._deliver_within_hours(issue, list_, progress, stop)
            for issue in await self._open_issues(list_, first)
        ]

    async def deliver_at_once(
        self,
        issue: Issue,
        list_: NewsletterList,
        *,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> Delivered:
        """Deliver what is due of one issue, whatever the list's hours and however late; it was asked for."""
        report = await self._deliver(issue, list_, progress, stop)
        return Delivered(issue=issue, report=report, ended_at=self.clock())

    async def _open_issues(self, list_: NewsletterList, first: Issue | None) -> Sequence[Issue]:
        keys = await self.store.outbox.open_issues(list_.name)
        others = [await self.store.issues.get(key) for key in keys if first is None or key != first.key]
        return [*([first] if first else []), *(issue for issue in others if issue is not None)]

    async def _deliver_within_hours(
        self, issue: Issue, list_: NewsletterList, progress: Progress | None, stop: asyncio.Event | None
    ) -> Delivered:
        with bound_contextvars(list=issue.list, day=str(issue.day)):
            now = self.clock()
            await withdraw_late(self.store.outbox, issue, list_, now=now)
            report = DispatchReport()
            if opening(list_, now) <= now:
                async with stopping_at(closing(list_, now), self.clock, stop) as either:
                    report = await self._deliver(issue, list_, progress, either)
        ended_at = self.clock()
        opens = opening(list_, ended_at)
        waits_until = opens if opens > ended_at else None
        return Delivered(issue=issue, report=report, ended_at=ended_at, waits_until=waits_until)

    async def _deliver(
        self, issue: Issue, list_: NewsletterList, progress: Progress | None, stop: asyncio.Event | None
    ) -> DispatchReport:
        if stop is not None and stop.is_set():
            return DispatchReport()

        async def message_for(_: int) -> Message:
            had = await had_before(self.store, list_, issue.listings)
            return WithoutRepeats(self.renderer.message(issue, list_), had)

        with bound_contextvars(list=issue.list, day=str(issue.day)):
            due = await self.store.outbox.next_due(issue.key)
            if due is not None and due <= self.clock():
                await self.mark.advance()
            report = await self.dispatcher.deliver(message_for, issue_key=issue.key, progress=progress, stop=stop)
            if report.sent or report.uncertain:
                await self.mark.advance()
            await self._judge_dead_addresses()
        return report

    async def _judge_dead_addresses(self) -> None:
        for held in await self.store.suppressions.judge(now=self.clock()):
            what = {"domain": held.domain, "addresses": held.addresses, "reason": held.reason}
            log.warning("dead_addresses_held", **what, see="newsletter suppressions list --held")
