"""The hours in which an issue may be delivered, and the moment from which it is too late."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from newsletter.core.calendar import late_before
from newsletter.core.issue import Issue
from newsletter.core.steps import TOO_LATE
from newsletter.pipeline.report import in_hours
from newsletter.ports import Clock, Outbox

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 1.0  # seconds; clocks are set, and machines sleep


async def hours_over(closes: datetime, clock: Clock) -> None:
    """Return when an issue's hours end: at `closes`, by `clock`."""
    while (left := (closes - clock()).total_seconds()) > 0:  # noqa: ASYNC110 - a clock sets no event
        await asyncio.sleep(min(left, _LOOK_AGAIN))
    log.info("hours_over", closed_at=closes.isoformat())


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
