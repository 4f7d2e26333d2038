"""Delivering within an issue's hours: what is under way when they end is stopped as by a signal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import structlog

from newsletter.core.calendar import late_before
from newsletter.core.issue import Issue
from newsletter.core.steps import TOO_LATE
from newsletter.pipeline.report import in_hours
from newsletter.ports import Clock, Outbox

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 1.0  # seconds; clocks are set, and machines sleep


@asynccontextmanager
async def stopping_at(
    closes: datetime | None, clock: Clock, stop: asyncio.Event | None
) -> AsyncIterator[asyncio.Event | None]:
    """Yield an event that is set when `stop` is set, or when the hours end.

    Args:
        closes: when the hours end; None: they don't.
        clock: returns the present moment.
        stop: is set to stop for another reason; None: there is no other.
    """
    if closes is None:
        yield stop
        return
    either = asyncio.Event()
    watching = asyncio.create_task(_watch(closes, clock, stop or asyncio.Event(), either))
    try:
        yield either
    finally:
        watching.cancel()


async def _watch(closes: datetime, clock: Clock, stop: asyncio.Event, either: asyncio.Event) -> None:
    while not stop.is_set() and (left := (closes - clock()).total_seconds()) > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(left, _LOOK_AGAIN))
    if not stop.is_set():
        log.info("hours_over", closed_at=closes.isoformat())
    either.set()


async def withdraw_late(outbox: Outbox, issue: Issue, *, now: datetime) -> None:
    """Withdraw what is past the issue's deadline: old news would come beside today's, or after it."""
    due_before = late_before(issue.terms, now)
    if due_before <= issue.frozen_at:  # nothing is due before it is closed: the outbox need not look for it
        return
    late = await outbox.withdraw_late(
        issue.key,
        due_before=due_before,
        reason=f"{TOO_LATE}: it could not be delivered within {in_hours(issue.terms.stale_after)}",
        now=now,
    )
    if late:
        log.warning("deliveries_withdrawn_late", count=late)
