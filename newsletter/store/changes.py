"""Taking steps of deliveries in SQL, within the caller's transaction: rows and their events change together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.store.bulk import rows, run
from newsletter.store.steps import Standing, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from newsletter.core.delivery import Change

# All transactions lock deliveries in the order of their keys, so that none waits in a circle.
_STANDING = """
    SELECT key, state, due_at, attempts, claimed_by FROM deliveries WHERE key = ANY(:keys) ORDER BY key FOR UPDATE
"""
_TAKE_STEPS = """
    UPDATE deliveries SET state = step.state, attempts = step.attempts, ready_at = step.ready_at,
        next_attempt_at = step.next_attempt_at, relay = step.relay, code = step.code, text = step.text,
        reason = step.reason, claimed_by = step.claimed_by, updated_at = step.updated_at
    FROM json_to_recordset(:steps) AS step(key bigint, state text, attempts int, ready_at timestamptz,
        next_attempt_at timestamptz, relay text, code int, text text, reason text, claimed_by text,
        updated_at timestamptz)
    WHERE deliveries.key = step.key
"""
_KEEP_STEPS = """
    INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
    SELECT key, updated_at, state, attempts, relay, code, text, reason
    FROM json_to_recordset(:steps) AS step(key bigint, updated_at timestamptz, state text, attempts int,
        relay text, code int, text text, reason text)
"""


async def take_steps(connection: AsyncConnection, changes: Sequence[Change]) -> Walk:
    """Write changes, one after the other, and return what was done and what was left out."""
    if not changes:
        return Walk()
    standings = await run(connection, _STANDING, keys=list({change.key for change in changes}))
    walked = walk({key: Standing(*values) for key, *values in standings}, changes)
    if walked.steps:
        # Each step holds all that changes: of several by one delivery the last one tells where it stands.
        last = {step["key"]: step for step in walked.steps}
        steps = rows([step | {"last": last[step["key"]] is step} for step in walked.steps])
        await run(connection, _KEEP_STEPS, steps=steps)
        await run(connection, _TAKE_STEPS, steps=steps)
    return walked
