"""Taking steps of deliveries in SQL, within the caller's transaction: rows and their events change together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from newsletter.store.bulk import rows, run
from newsletter.store.steps import Standing, Step, Walk, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from newsletter.core.delivery import Change

# All transactions lock deliveries in the order of their keys, so that none waits in a circle.
_STANDING = """
    SELECT key, state, due_at, attempts, claimed_by FROM deliveries WHERE key = ANY(:keys) ORDER BY key FOR UPDATE
"""
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


async def take_steps(connection: AsyncConnection, changes: Sequence[Change]) -> Walk:
    """Write changes, one after the other, and return what was done and what was left out."""
    if not changes:
        return Walk()
    standings = await run(connection, _STANDING, keys=list({change.key for change in changes}))
    walked = walk({key: Standing(*values) for key, *values in standings}, changes)
    for steps, alike in _by_what_is_alike(walked.steps):
        await run(connection, _KEEP_STEPS, steps=steps, **alike)
    # Each step holds all that changes: of several by one delivery the last one tells where it stands.
    last = {step.key: step for step in walked.steps}
    for steps, alike in _by_what_is_alike(last.values()):
        await run(connection, _TAKE_STEPS, steps=steps, **alike)
    return walked


def _by_what_is_alike(steps: Iterable[Step]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Group steps by all that doesn't differ for each delivery; first the first step of each, then the second."""
    taken: Counter[int] = Counter()
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for step in steps:
        taken[step.key] += 1
        groups.setdefault((taken[step.key], *step[_OWN:]), []).append(step[:_OWN])
    for (_, *alike), own in sorted(groups.items(), key=lambda group: group[0][0]):
        yield rows(own), dict(zip(Step._fields[_OWN:], alike, strict=True))
