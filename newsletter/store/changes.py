"""Taking steps of deliveries in SQL, within the caller's transaction: rows and their events change together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.store.bulk import run, run_for_each
from newsletter.store.steps import Standing, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from newsletter.core.delivery import Change

# All transactions lock deliveries in the order of their keys, so that none waits in a circle.
_STANDING = """
    SELECT key, state, due_at, attempts, claimed_by FROM deliveries WHERE key = ANY(:keys) ORDER BY key FOR UPDATE
"""
_TAKE_STEP = """
    UPDATE deliveries SET state = :state, attempts = :attempts, ready_at = :ready_at,
        next_attempt_at = :next_attempt_at, relay = :relay, code = :code, text = :text, reason = :reason,
        claimed_by = :claimed_by, updated_at = :updated_at
    WHERE key = :key
"""
_KEEP_STEP = """
    INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
    VALUES (:key, :updated_at, :state, :attempts, :relay, :code, :text, :reason)
"""


async def take_steps(connection: AsyncConnection, changes: Sequence[Change]) -> Walk:
    """Write changes, one after the other, and return what was done and what was left out."""
    if not changes:
        return Walk()
    rows = await run(connection, _STANDING, keys=list({change.key for change in changes}))
    walked = walk({key: Standing(*values) for key, *values in rows}, changes)
    if walked.steps:
        moments = ("ready_at", "next_attempt_at", "updated_at")
        await run_for_each(connection, _TAKE_STEP, walked.steps, moments=moments)
        await run_for_each(connection, _KEEP_STEP, walked.steps)
    return walked
