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
from typing import Any, NamedTuple, TypeAlias

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

Written: TypeAlias = tuple[Statement, dict[str, Any]]  # a statement with its parameters

# Looked up once: each message needs them.
_SENDING, _SENT = DeliveryState.SENDING, DeliveryState.SENT


class PlainSteps(NamedTuple):
    """Plain changes as SQLite takes them; `others` are the keys of deliveries whose changes are not plain."""

    waiting: str  # the keys of those that are begun, as JSON; and of those that are sent and were begun before
    in_flight: str
    deliveries: int  # how many
    begun: list[Written]  # what is written; whoever holds these deliveries does so still
    sent: list[Written]
    others: Collection[int]

    @classmethod
    def of(cls, changes: Iterable[Change]) -> PlainSteps:
        """Sort changes out, and write down what the database is told.

        Call it in the event loop. In the thread of the connection, both would wait for the interpreter's lock time
        and again, and each time they wake each other costs more than what is done here.

        Args:
            changes: the steps, in their order.
        """
        begun, sent, others = _sorted_out(changes)
        in_flight = [key for key in sent if key not in begun]
        return cls(
            to_json(list(begun)).decode(),
            to_json(in_flight).decode(),
            len(begun) + len(in_flight),
            list(_of_begun(begun, sent)),
            list(_of_sent(sent)),
            others,
        )


async def take_plain_steps(connection: AsyncConnection, plain: PlainSteps) -> bool:
    """Write plain changes to SQLite as `newsletter.store.changes.take_steps` would; return whether that was done.

    Those of a delivery are plain if it is begun, sent, or both. If not all that are begun or sent are held by one
    worker, or a reader was erased, nothing is written.

    Args:
        connection: in a transaction that writes.
        plain: the changes.
    """
    stand = await run(connection, STAND_PLAIN, waiting=plain.waiting, in_flight=plain.in_flight)
    [(count, holder, last_holder)] = stand
    if count != plain.deliveries or holder is None or holder != last_holder:
        return False
    begun = [(statement, {**values, "claimed_by": holder}) for statement, values in plain.begun]
    await run_all(connection, [*begun, *plain.sent])
    return True


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
    return those(changes, others) if is_well else None


def those(changes: Sequence[Change], keys: Collection[int]) -> Sequence[Change]:
    """Return the changes of some deliveries, by their keys."""
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


def _of_begun(begun: dict[int, Change], sent: Collection[int]) -> Iterator[Written]:
    """Yield what is written of deliveries that are begun. The last step of a delivery says all of it."""
    for shared, some in _groups(begun.values()):
        values = {**shared, "state": DeliveryState.SENDING.value}
        yield KEEP_STEPS, {**values, "steps": _rows(some)}
        if last := [change for change in some if change.key not in sent]:
            yield TAKE_STEPS, {**values, "steps": _rows(last)}


def _of_sent(sent: dict[int, Change]) -> Iterator[Written]:
    """Yield what is written of deliveries that are sent, so that nobody holds them any more."""
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
