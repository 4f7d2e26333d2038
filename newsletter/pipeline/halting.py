"""Delivering until the operator halts an issue: what is under way then is stopped as by a signal."""

from __future__ import annotations

import asyncio

import structlog

from newsletter.core.errors import StoreError
from newsletter.ports import Halts

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0  # seconds


async def halted(halts: Halts, issue_key: int) -> None:
    """Return when any process has paused or cancelled an issue.

    Args:
        halts: what the operator said of issues.
        issue_key: the issue's.
    """
    while True:
        await asyncio.sleep(_LOOK_EVERY)
        try:
            state = await halts.of(issue_key)
        except StoreError as error:  # nothing can be claimed then either
            log.warning("halt_not_looked_up", reason=str(error))
            continue
        if state.halt:
            log.info("delivering_halted", issue=issue_key, halt=state.halt.value)
            return
