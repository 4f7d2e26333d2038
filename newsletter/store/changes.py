"""Taking steps of deliveries in SQL, within the caller's transaction: rows and their events change together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import Change
from newsletter.core.steps import Standing, Step, Walk, walk
from newsletter.store.bulk import fetch, rows, run

# All transactions lock deliveries in the order of their keys, so that none waits in a circle.
_STANDING = """
    SELECT key, state, due_at, attempts, claimed_by FROM deliveries WHERE key = ANY(:keys) ORDER BY key FOR UPDATE
"""
_STANDS = ("key", *Standing._fields)
_TAKE_STEPS = """
    UPDATE deliveries SET updated_at = step.updated_at, text = step.text, ready_at = step.ready_at,
        next_attempt_at = step.next_attempt_at, state = :state, attempts = :attempts, relay = :relay, code = :code,
        reason = :reason, claimed_by = :claimed_by
    FROM ROWS(:steps) AS step(key bigint, updated_at timestamptz, text text, ready_at timestamptz,
        next_attempt_at timestamptz)
    WHERE deliveries.key = step.key
"""
_KEEP_STEPS = """
    INSERT INTO delivery_events (delivery_key, at, state, attempt, relay, code, text, reason)
    SELECT key, updated_at, :state, :attempts, :relay, CAST(:code AS int), text, :reason
    FROM ROWS(:steps) AS step(key bigint, updated_at timestamptz, text text)
"""
_OWN = Step._fields.index("state")  # from there on, a step's values are those of most others
_SHARED = Step._fields[_OWN + 1 : -1]  # all but what never changes


async def take_steps(connection: AsyncConnection, changes: Sequence[Change]) -> Walk:
    """Write changes, one after the other, and return what was done and what was left out."""
    if not changes:
        return Walk()
    standings = await fetch(connection, _STANDS, _STANDING, keys=list({change.key for change in changes}))
    walked = walk({key: Standing(*values) for key, *values in standings}, changes)
    for (_, is_last, state, *shared), own in _groups(walked.steps):
        values = {"steps": rows(own), "state": state.value, **dict(zip(_SHARED, shared, strict=True))}
        await run(connection, _KEEP_STEPS, **values)
        if is_last:  # it holds all that changes, so it alone tells where a delivery stands
            await run(connection, _TAKE_STEPS, **values)
    return walked


def _groups(steps: Sequence[Step]) -> list[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """Return steps in groups of what isn't the delivery's own, with what is; of each delivery, in their order.

    Before what its steps share, a group has their place among those of their delivery, and whether it is the last.
    """
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    last = {step.key: step for step in steps}
    places: dict[int, int] = {}
    for step in steps:
        places[step.key] = place = places.get(step.key, 0) + 1
        groups.setdefault((place, last[step.key] is step, *step[_OWN:-1]), []).append(step[:_OWN])
    return sorted(groups.items(), key=lambda group: group[0][0])
