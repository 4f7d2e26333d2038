"""The steps that nearly every delivery takes: begun, and sent. Without a look at where each one stands.

`newsletter.core.steps.walk` looks at each step, in Python. Beside a busy event loop that is the dearest part of
recording: both need the interpreter's lock (GIL). Here the database itself finds out whether all deliveries stand
where such steps begin, and leaves the lock alone meanwhile. If one does not, nothing is written, and `walk` is
asked of all. Of deliveries that take other steps, such as those that are deferred, it is always asked.

SQLite is given the steps. PostgreSQL has them already, in a worker's notes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import Change, DeliveryState
from newsletter.core.steps import kept
from newsletter.store.bulk import raw_connection, run, run_all
from newsletter.store.column_types import moment_texts
from newsletter.store.statements import (
    BY_INDEX,
    KEEP_STEPS,
    STAND_PLAIN,
    TAKE_NOTED,
    TAKE_PLAIN_NOTED,
    TAKE_STEPS,
    Statement,
)

# Looked up once: each message needs them.
_SENDING, _SENT = DeliveryState.SENDING, DeliveryState.SENT


async def take_plain_steps(connection: AsyncConnection, changes: Sequence[Change]) -> Sequence[Change]:
    """Write plain changes to SQLite as `newsletter.store.changes.take_steps` would, and return the others.

    Those of a delivery are plain if it is begun, sent, or both. If not all that are begun or sent are held by one
    worker, or a reader was erased, nothing is written.

    Args:
        connection: in a transaction that writes.
        changes: the steps, in their order.
    """
    begun, sent, others = _sorted_out(changes)
    in_flight = [key for key in sent if key not in begun]
    [(count, holder, last_holder)] = await run(connection, STAND_PLAIN, waiting=list(begun), in_flight=in_flight)
    if count != len(begun) + len(in_flight) or holder is None or holder != last_holder:
        return changes
    await run_all(connection, list(_written(begun, sent, holder)))
    return _those(changes, others)


async def take_noted_steps(
    connection: AsyncConnection, changes: Sequence[Change], worker: str, numbers: Sequence[int]
) -> Sequence[Change] | None:
    """Write plain changes of a worker's notes to PostgreSQL, and delete the notes.

    Args:
        connection: in a transaction that writes. Deliveries are locked, in the order of their keys.
        changes: the steps, in their order.
        worker: whose notes they are.
        numbers: of the notes that hold these steps and no others, in their order.

    Returns:
        The changes that are not plain: they are still to be written. None: nothing was written or deleted.
    """
    begun, sent, others = _sorted_out(changes)
    if not begun and not sent:
        return None
    asked = {
        "worker": worker,
        "numbers": numbers,
        "up_to": numbers[-1],
        "others": list(others),
        "count": len(begun.keys() | sent.keys()),
    }
    driver = await raw_connection(connection)
    async with driver.pipeline():
        await driver.execute(BY_INDEX)
        if not others:
            await driver.execute("SAVEPOINT before_plain_steps")
        cursor = await driver.execute((TAKE_NOTED if others else TAKE_PLAIN_NOTED).postgresql, asked)
        (is_well,) = await cursor.fetchone()
    if not is_well and not others:
        await driver.execute("ROLLBACK TO SAVEPOINT before_plain_steps")
    return _those(changes, others) if is_well else None


def _those(changes: Sequence[Change], keys: Collection[int]) -> Sequence[Change]:
    return [change for change in changes if change.key in keys] if keys else ()


def _sorted_out(changes: Iterable[Change]) -> tuple[dict[int, Change], dict[int, Change], set[int]]:
    """Return plain changes by key, of deliveries that are begun and of those that are sent; and others' keys."""
    begun: dict[int, Change] = {}
    sent: dict[int, Change] = {}
    others: set[int] = set()
    for change in changes:
        key, state, _, attempts, next_attempt_at, _, _, _, reason, suppress = change
        if key in sent or reason or next_attempt_at or suppress:
            others.add(key)
        elif state is _SENT and (key not in begun or begun[key].attempts == attempts):
            sent[key] = change
        elif state is _SENDING and key not in begun:
            begun[key] = change
        else:
            others.add(key)
    for key in others:
        begun.pop(key, None)
        sent.pop(key, None)
    return begun, sent, others


def _written(
    begun: dict[int, Change], sent: dict[int, Change], holder: str
) -> Iterator[tuple[Statement, dict[str, Any]]]:
    """Yield the statements that write steps, with their parameters. The last step of a delivery says all of it."""
    for shared, some in _groups(begun.values()):
        values = {**shared, "state": DeliveryState.SENDING.value, "claimed_by": holder}
        yield KEEP_STEPS, {**values, "steps": _rows(some)}
        if last := [change for change in some if change.key not in sent]:
            yield TAKE_STEPS, {**values, "steps": _rows(last)}
    for shared, some in _groups(sent.values()):
        values = {**shared, "state": DeliveryState.SENT.value, "claimed_by": None, "steps": _rows(some)}
        yield KEEP_STEPS, values
        yield TAKE_STEPS, values


def _groups(changes: Collection[Change]) -> Iterator[tuple[dict[str, Any], list[Change]]]:
    """Yield changes in groups, with what those of a group share."""
    groups = defaultdict[tuple[int, str, int | None], list[Change]](list)
    for change in changes:
        _, _, _, attempts, _, code, _, relay, _, _ = change
        groups[attempts, relay, code].append(change)
    for (attempts, relay, code), some in groups.items():
        yield {"attempts": attempts, "relay": relay, "code": code, "reason": ""}, some


def _rows(changes: Sequence[Change]) -> str:
    """Return what is each step's own, as `TAKE_STEPS` and `KEEP_STEPS` take it."""
    moments = moment_texts([at for _, _, at, *_ in changes])
    return to_json(
        [
            (key, moment, text and kept(text), None, None)
            for (key, _, _, _, _, _, text, _, _, _), moment in zip(changes, moments, strict=True)
        ]
    ).decode()
