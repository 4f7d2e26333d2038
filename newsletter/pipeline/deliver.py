"""Deliver: closed issues to their readers, by the issues' own terms. No list file is needed for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog
from structlog.contextvars import bound_contextvars

from newsletter.core.calendar import closing, opening
from newsletter.core.halt import Halt
from newsletter.core.issue import Issue
from newsletter.core.rendering import Rendering
from newsletter.core.steps import OPEN
from newsletter.pipeline.halting import halted
from newsletter.pipeline.high_water import HighWaterMark
from newsletter.pipeline.hours import hours_over, withdraw_late
from newsletter.pipeline.languages import MailInLanguages
from newsletter.ports import (
    ChunkReport,
    Clock,
    Dispatcher,
    Issues,
    ListFile,
    Message,
    Progress,
    Renderer,
    Store,
)
from newsletter.stopping import stopping_after

log = structlog.get_logger(__name__)

# Several runs of delivering go through one issue; its message, some 300 KB, is made once.
_MESSAGES_KEPT = 4


class ClosedIssues:
    """Closed issues as mail: an issue's key is enough to make the same bytes, whatever became of its list."""

    def __init__(self, issues: Issues, renderer: Renderer) -> None:
        self._issues = issues
        self._renderer = renderer
        self._messages: OrderedDict[int, Message] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()  # whoever asks for the same issue meanwhile finds it made

    async def rendering(self, issue: Issue, language: str = "") -> Rendering:
        """Return the rendering of a closed issue in its list's language, or in one of `languages`.

        An issue that was closed by a version that stored none is rendered now, once, and the result stored.

        Raises:
            RenderError: a template is wrong; of a stored rendering it never is.
        """
        stored = await self._issues.rendering(issue.key, language)
        if stored is not None:
            return stored
        async with self._one_at_a_time:
            return await self._rendered(issue)

    async def languages(self, issue: Issue) -> tuple[str, ...]:
        """Return the languages in which a closed issue is rendered, beside that of its list."""
        return await self._issues.languages(issue.key)

    async def message_for(self, key: int) -> Message:
        """Return what makes each reader's message of a closed issue, by the issue's key.

        Raises:
            LookupError: there is no such issue.
            RenderError: see `rendering`; or the sender can't stand in a header.
        """
        async with self._one_at_a_time:
            if key not in self._messages:
                issue = await self._issues.get(key)
                if issue is None:
                    raise LookupError(f"there is no issue {key}")
                self._messages[key] = await self._message(issue)
                while len(self._messages) > _MESSAGES_KEPT:
                    self._messages.popitem(last=False)
            return self._messages[key]

    async def _message(self, issue: Issue) -> Message:
        others = {}
        for language in await self._issues.languages(issue.key):
            if rendering := await self._issues.rendering(issue.key, language):
                spoken = issue.in_language(language)
                others[language] = await asyncio.to_thread(self._renderer.message, spoken, rendering)
        of_list = await asyncio.to_thread(self._renderer.message, issue, await self._rendered(issue))
        return MailInLanguages(of_list, others) if others else of_list

    async def _rendered(self, issue: Issue) -> Rendering:
        stored = await self._issues.rendering(issue.key)
        if stored is not None:
            return stored
        # In a thread, as it takes a second: other issues' deliveries and the web pages go on meanwhile.
        return await self._issues.keep_rendering(issue.key, await asyncio.to_thread(self._renderer.render, issue))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What delivering one issue came to by the moment `ended_at`.

    `waits_until` is when the issue's hours begin, if mail may not leave then; None: it may. `halt` is why nothing
    more of it is sent, if the operator has said so by then.
    """

    issue: Issue
    report: ChunkReport
    ended_at: datetime
    waits_until: datetime | None = None
    halt: Halt | None = None


class _Delivers(Protocol):
    """Delivers an issue's due deliveries, whatever its hours."""

    async def __call__(self, *, stop: asyncio.Event | None) -> ChunkReport: ...


class Delivering:
    """Delivers closed issues by their keys and by their own terms: hours, deadline, timezone."""

    def __init__(
        self, store: Store, closed: ClosedIssues, dispatcher: Dispatcher, clock: Clock, mark: HighWaterMark
    ) -> None:
        self._store = store
        self._closed = closed
        self._dispatcher = dispatcher
        self._clock = clock
        self._mark = mark
        self._waits: dict[int, datetime] = {}  # until when, by issue: each wait is logged once

    async def deliver_open(
        self,
        *,
        lists: Collection[str] | None = None,
        but: Collection[str] = (),
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> list[Delivered]:
        """Deliver what is due of all closed issues that have something left to do, one issue after the other.

        What is past its issue's deadline is withdrawn; outside of an issue's hours nothing leaves.

        Args:
            lists: only issues of these lists (a weekly edition has a name of its own); None: of all lists.
            but: no issues of these lists.
            progress: is called with each delivery.
            stop: when set, what is in flight is finished and the rest left for later.
        """
        return [
            await self.deliver(issue, progress=progress, stop=stop)
            for issue in await self.open_issues(lists=lists, but=but)
        ]

    async def deliver_without_file(
        self,
        files: Iterable[ListFile],
        *,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> list[Delivered]:
        """Deliver the closed issues of lists whose file is wrong or gone; see `deliver_open`.

        Args:
            files: the list files that are right.
            progress: is called with each delivery.
            stop: see `deliver_open`.
        """
        with_file = [edition for file in files for edition in file.list.masthead.editions]
        return await self.deliver_open(but=with_file, progress=progress, stop=stop)

    async def open_issues(self, *, lists: Collection[str] | None = None, but: Collection[str] = ()) -> list[Issue]:
        """Return the closed issues that have something left to do, the oldest day first; see `deliver_open`."""
        outbox, issues = self._store.outbox, self._store.issues
        keys = (
            await outbox.open_issues()
            if lists is None
            else [key for name in lists for key in await outbox.open_issues(name)]
        )
        found = [await issues.get(key) for key in keys]
        return [issue for issue in found if issue is not None and issue.list not in but]

    async def deliver(
        self,
        issue: Issue,
        *,
        at_once: bool = False,
        most: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> Delivered:
        """Deliver what is due of a closed issue.

        Args:
            issue: the issue.
            at_once: whatever the issue's hours and deadline.
            most: how many deliveries are settled at most; None: all that are due.
            progress: is called with each delivery.
            stop: see `deliver_open`.
        """
        with bound_contextvars(list=issue.list, day=str(issue.day), issue=issue.key):
            state = await self._store.halts.of(issue.key)
            if state.halt:
                report = await self._leave(issue.key, state.halt)
                return Delivered(issue=issue, report=report, ended_at=self._clock(), halt=state.halt)
            whole = partial(self._deliver, issue.key, at_once=at_once, most=most, progress=progress)
            if at_once:
                report = await whole(stop=stop)
            else:
                report = await self._deliver_within_hours(issue, state.paused_for, whole, stop)
            halt = (await self._store.halts.of(issue.key)).halt  # meanwhile
        ended_at = self._clock()
        opens = ended_at if at_once else opening(issue.terms, ended_at)
        waits_until = opens if opens > ended_at else None
        return Delivered(issue=issue, report=report, ended_at=ended_at, waits_until=waits_until, halt=halt)

    async def _leave(self, key: int, halt: Halt) -> ChunkReport:
        """Leave what is paused as it is; withdraw what is left of a cancelled issue."""
        if halt is Halt.PAUSED:
            return ChunkReport()
        await self._withdraw(key)
        counts = await self._store.outbox.counts(key)
        if not any(counts[state] for state in OPEN):
            return ChunkReport()
        # A worker holds some of it. If that is dead, a chunk brings it back before it finds nothing to claim.
        report = await self._dispatcher.recover(key, self._closed.message_for)
        await self._withdraw(key)
        return report

    async def _withdraw(self, key: int) -> None:
        if count := await self._store.halts.withdraw(key, now=self._clock()):
            log.info("cancelled_deliveries_withdrawn", count=count)

    async def _deliver_within_hours(
        self, issue: Issue, paused_for: timedelta, whole: _Delivers, stop: asyncio.Event | None
    ) -> ChunkReport:
        now = self._clock()
        await withdraw_late(self._store.outbox, issue, now=now - paused_for)
        opens = opening(issue.terms, now)
        if opens > now:
            if self._waits.get(issue.key) != opens:
                self._waits[issue.key] = opens
                log.info("delivery_waits", until=opens.isoformat())
            return ChunkReport()
        self._waits.pop(issue.key, None)
        closes = closing(issue.terms, now)
        if closes is None:
            return await whole(stop=stop)
        async with stopping_after(partial(hours_over, closes, self._clock), stop) as either:
            return await whole(stop=either)

    async def _deliver(
        self,
        key: int,
        *,
        at_once: bool,
        most: int | None,
        progress: Progress | None,
        stop: asyncio.Event | None,
    ) -> ChunkReport:
        if stop is not None and stop.is_set():
            return ChunkReport()
        due = await self._store.outbox.next_due(key)
        if due is not None and due <= self._clock():
            await self._mark.advance()
        async with stopping_after(partial(halted, self._store.halts, key), stop) as either:
            report = await self._dispatcher.dispatch(
                key, self._closed.message_for, at_once=at_once, most=most, progress=progress, stop=either
            )
        if (await self._store.halts.of(key)).halt is Halt.CANCELLED:  # meanwhile
            await self._withdraw(key)
        if report.sent or report.uncertain:
            await self._mark.advance()
        for held in await self._store.suppressions.judge(now=self._clock()):
            what = {"domain": held.domain, "addresses": held.addresses, "reason": held.reason}
            log.warning("dead_addresses_held", **what, see="newsletter suppressions list --held")
        return report
