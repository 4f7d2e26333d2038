"""Issues that somebody is closing, or was when their worker died: they are waited for, or thrown away.

The row of such an issue bears the name of its worker (`issues.closing_by`). Nobody else writes to the issue, and
every transaction that does makes sure of it: a worker that lost its session of PostgreSQL is taken for dead.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.errors import StoreError
from newsletter.core.newsletter_list import Masthead
from newsletter.store.bulk import among
from newsletter.store.engine import Database
from newsletter.store.states import some_of_half_issue
from newsletter.store.tables import (
    IS_CLOSED,
    choices,
    deliveries,
    delivery_events,
    issue_listings,
    issues,
    renderings,
)
from newsletter.store.workers import Workers

_PIECE = 1000  # rows that one transaction deletes
_PAUSE = 0.1  # seconds between two looks at an issue that somebody else is closing


class HalfIssue(NamedTuple):
    """An issue that is not closed yet."""

    key: int
    worker: str
    written: int  # deliveries, so far


def closing_of(list_name: str) -> str:
    """Return the name under which one transaction at a time begins to close an issue of a list's readers."""
    return f"close an issue of {list_name}"


async def half_issue(connection: AsyncConnection, masthead: Masthead) -> HalfIssue | None:
    """Return the issue of a list, or of its other edition, that is not closed yet; None if all are."""
    query = (
        sa.select(issues.c.key, issues.c.closing_by, issues.c.delivery_count)
        .where(issues.c.list.in_(masthead.editions), sa.not_(IS_CLOSED))
        .limit(1)
    )
    row = (await connection.execute(query)).first()
    return None if row is None else HalfIssue(*row)


async def write_on(connection: AsyncConnection, key: int, worker: str, **values: Any) -> bool:
    """Change the row of an issue that a worker is closing; return whether the issue is still that worker's."""
    theirs = sa.and_(issues.c.key == key, issues.c.closing_by == worker)
    return (await connection.execute(sa.update(issues).where(theirs).values(**values))).rowcount > 0


class HalfIssues:
    """Waits for living workers, and throws away what dead ones left."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers

    async def until_none(self, masthead: Masthead, worker: str) -> None:
        """Wait until nobody closes an issue of a list or of its other edition.

        Args:
            masthead: of either edition.
            worker: in whose name half issues of dead workers are thrown away.

        Raises:
            StoreError: a living worker has written nothing for longer than the database's patience.
        """
        last, moved_at = None, monotonic()
        while (half := await self._find(masthead)) is not None:
            if await self._workers.dead([half.worker]):
                await self._take_over(half, worker)
                continue
            if half != last:
                last, moved_at = half, monotonic()
            elif monotonic() - moved_at > self._database.patience.seconds:
                raise StoreError(
                    f"{self._database.where}: {half.worker} is closing an issue of {masthead.readers_of} and does "
                    "not go on; end that process, then run again"
                )
            await asyncio.sleep(_PAUSE)

    async def _find(self, masthead: Masthead) -> HalfIssue | None:
        async with self._database.read() as connection:
            return await half_issue(connection, masthead)

    async def _take_over(self, half: HalfIssue, worker: str) -> None:
        async with self._database.write() as connection:
            is_ours = await write_on(connection, half.key, half.worker, closing_by=worker)
        if is_ours:
            await self.throw_away(half.key, worker)

    async def throw_away(self, key: int, worker: str) -> None:
        """Delete an issue that a worker is closing, in many transactions; nothing of it is left.

        What is somebody else's by now, or closed, is left alone.
        """
        while await self._delete_piece(key, worker):
            pass

    async def _delete_piece(self, key: int, worker: str) -> bool:
        """Delete some rows of an issue; return whether there may be more."""
        async with self._database.write(durable=False) as connection:
            if not await write_on(connection, key, worker, closing_by=worker):
                return False
            if await _delete_deliveries(connection, key) or await _delete_choices(connection, key):
                return True
            for table in (renderings, issue_listings):
                await connection.execute(sa.delete(table).where(table.c.issue_key == key))
            await connection.execute(sa.delete(issues).where(issues.c.key == key))
            return False


async def _delete_deliveries(connection: AsyncConnection, issue_key: int) -> bool:
    """Delete some deliveries of an issue; return whether there were any."""
    found = list(await connection.scalars(some_of_half_issue(issue_key, _PIECE)))
    if not found:
        return False
    these = among(connection, deliveries.c.key, found)
    # In the order of their keys, as all transactions lock deliveries: readers may be leaving just now.
    await connection.execute(sa.select(deliveries.c.key).where(these).order_by(deliveries.c.key).with_for_update())
    events = among(connection, delivery_events.c.delivery_key, found)
    await connection.execute(sa.delete(delivery_events).where(events))
    await connection.execute(sa.delete(deliveries).where(these))
    return True


async def _delete_choices(connection: AsyncConnection, issue_key: int) -> bool:
    """Delete some choices of an issue; return whether there were any."""
    of_issue = choices.c.issue_key == issue_key
    some = sa.select(choices.c.number).where(of_issue).limit(_PIECE).scalar_subquery()
    return (await connection.execute(sa.delete(choices).where(of_issue, choices.c.number.in_(some)))).rowcount > 0
