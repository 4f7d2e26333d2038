"""Taking steps of deliveries in SQL, within the caller's transaction: rows and their events change together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import Change
from newsletter.core.steps import Standing, Step, Walk, of_nobody, walk
from newsletter.store.bulk import fetch, in_chunks, run_all
from newsletter.store.column_types import moment_text
from newsletter.store.plain_steps import PlainSteps, take_plain_steps, those
from newsletter.store.statements import KEEP_STEPS, STANDINGS, TAKE_STEPS, Statement

# Changes that are worked out in one go, in some 5 ms: in between, the event loop does other things.
_AT_ONCE = 500

# From the state on, a step's values are those of most others. The last never changes.
_SHARED = Step._fields[Step._fields.index("state") : -1]


async def take_steps(
    connection: AsyncConnection,
    changes: Sequence[Change],
    worker: str | None = None,
    *,
    noted: bool = False,
    standings: Sequence[Sequence[Any]] | None = None,
    plain: PlainSteps | None = None,
) -> Walk:
    """Write changes, one after the other; return what was left out, and whom to write to no more: see `walk`.

    Args:
        connection: in a transaction that writes.
        changes: the steps, in their order.
        worker: who must hold the deliveries; None: whoever does.
        noted: see `walk`.
        standings: the rows of `STANDINGS` for all of the deliveries, if the caller has just locked them.
        plain: those of the changes that are plain, as SQLite takes them; None: they are not known.
    """
    done = Walk()
    if plain is not None and await take_plain_steps(connection, plain):
        changes = those(changes, plain.others)
    if not changes:
        return done
    # All at once: they are locked in the order of their keys.
    if standings is None:
        standings = await fetch(connection, STANDINGS, keys=list({change.key for change in changes}))
    stand: dict[int, Standing | Step] = {key: Standing(*values) for key, _, *values in standings}
    erased = {key for key, is_erased, *_ in standings if is_erased}
    kept = [of_nobody(change) if change.key in erased else change for change in changes] if erased else changes
    for some in in_chunks(kept, _AT_ONCE):
        walked = walk(stand, some, worker, noted=noted)
        if len(some) < len(kept):  # there are more
            stand.update((step.key, step) for step in walked.steps)
        await run_all(connection, list(_written(walked.steps)))
        done.steps.extend(walked.steps)
        done.suppress.extend(walked.suppress)
        done.left_out.extend(walked.left_out)
    return done


def _written(steps: Sequence[Step]) -> Iterator[tuple[Statement, dict[str, Any]]]:
    """Yield the statements that write steps, with their parameters."""
    for (_, is_last, *shared), own in _groups(steps):
        values = {"steps": to_json(own).decode(), **dict(zip(_SHARED, shared, strict=True))}
        values["state"] = values["state"].value
        yield KEEP_STEPS, values
        if is_last:  # it holds all that changes, so it alone says where a delivery stands
            yield TAKE_STEPS, values


def _groups(steps: Sequence[Step]) -> list[tuple[tuple[Any, ...], list[tuple[Any, ...]]]]:
    """Return steps in groups of what isn't the delivery's own, with what is; of each delivery, in their order.

    Before what its steps share, a group has their place among those of their delivery, and whether it is the last.
    """
    groups = defaultdict[tuple[Any, ...], list[tuple[Any, ...]]](list)
    last = {step[0]: step for step in steps}
    places: dict[int, int] = {}
    for step in steps:
        key, at, text, ready_at, next_attempt_at, *shared, _ = step
        later = (None, None) if ready_at is None else (_moment(ready_at), _moment(next_attempt_at))
        places[key] = place = places.get(key, 0) + 1
        groups[place, last[key] is step, *shared].append((key, moment_text(at), text, *later))
    return sorted(groups.items(), key=lambda group: group[0][0])


def _moment(value: str | datetime | None) -> str | None:
    """Return a moment as JSON holds it; SQLite's are text already."""
    return moment_text(value) if isinstance(value, datetime) else value
