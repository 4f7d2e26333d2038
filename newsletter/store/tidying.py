"""Removing what the ledger does not need for ever, in SQL; see `newsletter.core.retention`."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from newsletter.core.delivery import DeliveryState
from newsletter.core.retention import KeepFor, SeenAt, superfluous
from newsletter.core.steps import OPEN
from newsletter.ports.tidying import Tidying
from newsletter.store.bulk import among, in_chunks
from newsletter.store.engine import Database
from newsletter.store.inbound_tables import inbound_events
from newsletter.store.shared_counts import shared_counts
from newsletter.store.states import NOT_QUEUED, has_any, keys_in_state, state_counts
from newsletter.store.tables import (
    IS_CLOSED,
    choices,
    deliveries,
    delivery_events,
    issue_listings,
    issues,
    ledger,
    readings,
    sightings,
)

_PIECE = 1000  # rows in a transaction
_UNSETTLED = (*OPEN, DeliveryState.UNCERTAIN)
# What is read again of days that were looked at: sources may show more of them a little later.
_AGAIN = timedelta(days=3)
_NO_DETAILS = {"name": "", "text": "", "relay": ""}
_HAS_DETAILS = sa.or_(*(deliveries.c[name] != "" for name in _NO_DETAILS))


class SqlTidying(Tidying):
    """Deletes the oldest first. Nobody waits for the disk: what a power cut undoes is done again."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def tidied_at(self) -> datetime | None:
        async with self._database.read() as connection:
            at: datetime | None = await connection.scalar(sa.select(ledger.c.tidied_at))
        return at

    @override
    async def tidy(self, keep: KeepFor, *, now: datetime, stopping: Callable[[], bool]) -> Mapping[str, int]:
        counts: Counter[str] = Counter()
        async for what, count in self._pieces(keep, now):
            counts[what] += count
            if stopping():
                return +counts
        async with self._database.write() as connection:
            await connection.execute(sa.delete(shared_counts).where(shared_counts.c.until <= now))
            await connection.execute(sa.update(ledger).values(tidied_at=now))
        return +counts

    async def _pieces(self, keep: KeepFor, now: datetime) -> AsyncIterator[tuple[str, int]]:
        """Remove piece after piece; yield what it was and how many rows."""
        if keep.inbound:
            async for count in self._inbound(now - keep.inbound):
                yield "inbound_events", count
        if keep.delivery_details:
            async for count in self._steps(now - keep.delivery_details):
                yield "delivery_steps", count
            async for count in self._details(now - keep.delivery_details):
                yield "delivery_details", count
        if keep.deliveries:
            async for count in self._deliveries(now - keep.deliveries):
                yield "deliveries", count
        if keep.sightings:
            async for count in self._sightings((now - keep.sightings).date(), keep.sightings):
                yield "sightings", count

    async def _delete(self, table: sa.Table, keys: Sequence[int]) -> int:
        async with self._database.write(durable=False) as connection:
            these = among(connection, table.c.key, keys)
            return (await connection.execute(sa.delete(table).where(these))).rowcount

    async def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        async with self._database.read() as connection:
            rows: Sequence[sa.Row[Any]] = (await connection.execute(query)).all()
        return rows

    async def _inbound(self, before: datetime) -> AsyncIterator[int]:
        old = sa.select(inbound_events.c.key).where(inbound_events.c.at < before).limit(_PIECE)
        while rows := await self._rows(old):
            yield await self._delete(inbound_events, [row.key for row in rows])

    async def _steps(self, before: datetime) -> AsyncIterator[int]:
        """Remove steps of settled deliveries. Steps are numbered as they are taken, so the first are old."""
        after = 0
        columns = (delivery_events.c.key, delivery_events.c.at, deliveries.c.state)
        query = (
            sa.select(*columns)
            .join(deliveries, deliveries.c.key == delivery_events.c.delivery_key)
            .order_by(delivery_events.c.key)
            .limit(_PIECE)
        )
        while rows := await self._rows(query.where(delivery_events.c.key > after)):
            old = [row for row in rows if row.at < before]
            if not old:
                return
            after = rows[-1].key
            yield await self._delete(delivery_events, [row.key for row in old if row.state not in _UNSETTLED])

    async def _old_issues(self, before: datetime, column: sa.Column[bool]) -> list[int]:
        """Return the issues from before a moment that have nothing open, and were not gone through yet."""
        query = sa.select(issues.c.key).where(
            IS_CLOSED, column.is_(None), issues.c.day < before.date(), issues.c.frozen_at < before
        )
        query = query.where(~sa.func.coalesce(has_any(_UNSETTLED), sa.false())).order_by(issues.c.key)
        return [row.key for row in await self._rows(query)]

    async def _note(self, issue_key: int, **values: Any) -> None:
        async with self._database.write(durable=False) as connection:
            await connection.execute(sa.update(issues).where(issues.c.key == issue_key).values(**values))

    async def _details(self, before: datetime) -> AsyncIterator[int]:
        """Blank the names in deliveries, and what relays said."""
        for issue_key in await self._old_issues(before, issues.c.is_tidied):
            for state in NOT_QUEUED:
                after = 0
                while rows := await self._rows(keys_in_state(issue_key, state, after=after).limit(_PIECE)):
                    after = rows[-1].key
                    async with self._database.write(durable=False) as connection:
                        these = among(connection, deliveries.c.key, [row.key for row in rows])
                        blank = sa.update(deliveries).where(these, _HAS_DETAILS).values(_NO_DETAILS)
                        count = (await connection.execute(blank)).rowcount
                    yield count
            await self._note(issue_key, is_tidied=True)

    async def _deliveries(self, before: datetime) -> AsyncIterator[int]:
        """Remove deliveries and choices. From then on the issue's papers compete for no issue of the list."""
        for issue_key in await self._old_issues(before, issues.c.is_forgotten):
            async with self._database.read() as connection:
                counts = (await state_counts(connection, [issue_key]))[issue_key]
            await self._note(issue_key, is_forgotten=True, delivery_count=counts[DeliveryState.SENT])
            yield 0
        forgotten = sa.select(issues.c.key).where(issues.c.is_forgotten, has_any(NOT_QUEUED))
        for (issue_key,) in await self._rows(forgotten.order_by(issues.c.key)):
            for state in NOT_QUEUED:
                after = 0  # PostgreSQL would else go through all that is deleted already, for each piece again
                while rows := await self._rows(keys_in_state(issue_key, state, after=after).limit(_PIECE)):
                    after, keys = rows[-1].key, [row.key for row in rows]
                    async with self._database.write(durable=False) as connection:
                        steps = among(connection, delivery_events.c.delivery_key, keys)
                        await connection.execute(sa.delete(delivery_events).where(steps))
                        these = among(connection, deliveries.c.key, keys)
                        await connection.execute(sa.delete(deliveries).where(these))
                    yield len(keys)
        async with self._database.write(durable=False) as connection:
            which = sa.select(issues.c.key).where(issues.c.is_forgotten)
            await connection.execute(sa.delete(choices).where(choices.c.issue_key.in_(which)))

    async def _sightings(self, before: date, kept: timedelta) -> AsyncIterator[int]:
        """Thin out the sightings of days that are over for so long; each day is looked at for a few days."""
        last = await self.tidied_at()
        since = date.min if last is None else (last - kept - _AGAIN).date()
        known = sa.select(readings.c.source).distinct()
        for (source,) in await self._rows(known):
            days = sa.select(sightings.c.listed_on).where(
                sightings.c.source == source, sightings.c.listed_on >= since, sightings.c.listed_on < before
            )
            for (day,) in await self._rows(days.distinct()):
                columns = (sightings.c.key, sightings.c.listing_key, sightings.c.seen_at)
                seen = sa.select(*columns).where(sightings.c.source == source, sightings.c.listed_on == day)
                order = (sightings.c.listing_key, sightings.c.seen_at, sightings.c.key)
                dropped = superfluous(map(SeenAt._make, await self._rows(seen.order_by(*order))))
                for keys in in_chunks(dropped, _PIECE):
                    yield await self._delete(sightings, keys)

    @override
    async def forgotten(self, list_names: Collection[str], keys: Collection[int]) -> frozenset[int]:
        async with self._database.read() as connection:
            query = (
                sa.select(issue_listings.c.listing_key)
                .join(issues, issues.c.key == issue_listings.c.issue_key)
                .where(issues.c.list.in_(list_names), issues.c.is_forgotten, IS_CLOSED)
                .where(among(connection, issue_listings.c.listing_key, keys))
            )
            return frozenset(await connection.scalars(query.distinct()))
