"""Listings for the public pages, in SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.listing import Sighting
from newsletter.core.ranking import newest_counts
from newsletter.ports import ListedPaper, ListedPapers
from newsletter.store.bulk import among
from newsletter.store.engine import Database
from newsletter.store.tables import IS_CLOSED, issues, listings, merged_listings, readings, sightings


class SqlListedPapers(ListedPapers):
    """Reads listings and what the sightings of each come to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def on_day(self, sources: Sequence[str], day: date) -> list[ListedPaper]:
        return await self.between(sources, day, day)

    @override
    async def between(self, sources: Sequence[str], since: date, until: date) -> list[ListedPaper]:
        shown = (
            sa.select(sightings.c.listing_key)
            .where(sightings.c.source.in_(sources), sightings.c.listed_on.between(since, until))
            .distinct()
        )
        async with self._database.read() as connection:
            return await _papers(connection, set(await connection.scalars(shown)))

    @override
    async def days(self, sources: Sequence[str], since: date, until: date) -> dict[date, int]:
        query = (
            sa.select(sightings.c.listed_on, sa.func.count(sightings.c.listing_key.distinct()).label("papers"))
            .where(sightings.c.source.in_(sources), sightings.c.listed_on.between(since, until))
            .group_by(sightings.c.listed_on)
            .order_by(sightings.c.listed_on)
        )
        async with self._database.read() as connection:
            return {row.listed_on: row.papers for row in await connection.execute(query)}

    @override
    async def oldest_day(self, sources: Sequence[str]) -> date | None:
        return await self._end(sources, sa.func.min, sa.true())

    @override
    async def newest_day(self, sources: Sequence[str], until: date) -> date | None:
        return await self._end(sources, sa.func.max, sightings.c.listed_on <= until)

    async def _end(
        self, sources: Sequence[str], end: Callable[[Any], Any], which: sa.ColumnElement[bool]
    ) -> date | None:
        """Return the first or last day of some sources; that of each stands at an end of an index."""
        if not sources:
            return None
        of_each = (
            sa.select(end(sightings.c.listed_on).label("day")).where(sightings.c.source == source, which)
            for source in sources
        )
        query = sa.select(end(sa.union_all(*of_each).subquery().c.day))
        async with self._database.read() as connection:
            day: date | None = await connection.scalar(query)
        return day

    @override
    async def updated_at(self, sources: Sequence[str], since: date, until: date) -> datetime | None:
        query = sa.select(sa.func.max(readings.c.read_at)).where(
            readings.c.source.in_(sources), readings.c.day.between(since, until)
        )
        async with self._database.read() as connection:
            moment: datetime | None = await connection.scalar(query)
        return moment

    @override
    async def newest(self, sources: Sequence[str], *, before: int | None = None, limit: int) -> list[ListedPaper]:
        # Back from the newest, each looked up in its own sightings: a page costs the same however many there are.
        is_shown = sa.exists().where(sightings.c.listing_key == listings.c.key, sightings.c.source.in_(sources))
        query = sa.select(listings.c.key).where(is_shown).order_by(listings.c.key.desc()).limit(limit)
        if before is not None:
            query = query.where(listings.c.key < before)
        async with self._database.read() as connection:
            return (await _papers(connection, set(await connection.scalars(query))))[::-1]

    @override
    async def by_keys(self, keys: Collection[int]) -> Mapping[int, ListedPaper]:
        async with self._database.read() as connection:
            query = sa.select(merged_listings).where(among(connection, merged_listings.c.former_key, keys))
            current = {key: key for key in keys} | {
                row.former_key: row.listing_key for row in await connection.execute(query)
            }
            found = {one.key: one for one in await _papers(connection, set(current.values()))}
        return {asked: found[key] for asked, key in current.items() if key in found}

    @override
    async def version(self, lists: Collection[str] = ()) -> str:
        async def read(connection: AsyncConnection) -> tuple[Any, Sequence[Any]]:
            row = (await connection.execute(_NEWEST)).one()
            return row, (await connection.execute(_ISSUES.where(issues.c.list.in_(lists)))).all() if lists else ()

        newest, issued = await self._database.read_at_once(read)
        read_at = newest.read_at.isoformat() if newest.read_at else ""
        return "/".join((read_at, str(newest.pages), str(newest.sighting or 0), *map(str, issued)))


# Pages that are read in one run are read at one moment: so it counts them, too.
_NEWEST = sa.select(
    sa.func.max(readings.c.read_at).label("read_at"),
    sa.func.count().label("pages"),
    sa.select(sa.func.max(sightings.c.key)).scalar_subquery().label("sighting"),
).where(readings.c.read_at == sa.select(sa.func.max(readings.c.read_at)).scalar_subquery())
_ISSUES = (
    sa.select(issues.c.list, sa.func.max(issues.c.number))
    .where(IS_CLOSED)
    .group_by(issues.c.list)
    .order_by(issues.c.list)
)


async def _papers(connection: AsyncConnection, keys: set[int]) -> list[ListedPaper]:
    """Return the papers with these keys, in the order in which they became known."""
    stored = await connection.execute(
        sa.select(listings.c.key, listings.c.record, listings.c.first_seen_at)
        .where(among(connection, listings.c.key, keys))
        .order_by(listings.c.key)
    )
    rows = stored.all()
    seen = await _newest_sightings(connection, keys)
    return [_paper(row, seen.get(row.key, ())) for row in rows]


async def _newest_sightings(connection: AsyncConnection, keys: set[int]) -> dict[int, list[Sighting]]:
    """Return the newest sighting of each listing on each page, oldest first: a page is seen many times a day."""
    newest = (
        sa.select(sa.func.max(sightings.c.key))
        .where(among(connection, sightings.c.listing_key, keys))
        .group_by(sightings.c.listing_key, sightings.c.source, sightings.c.listed_on)
    )
    query = (
        sa.select(sightings)
        .where(sightings.c.key.in_(newest))
        .order_by(sightings.c.listing_key, sightings.c.seen_at, sightings.c.key)
    )
    found: dict[int, list[Sighting]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.listing_key, []).append(
            Sighting(
                source=row.source,
                listed_on=row.listed_on,
                seen_at=row.seen_at,
                position=row.position,
                upvotes=row.upvotes,
                comments=row.comments,
                stars=row.stars,
            )
        )
    return found


def _paper(row: Any, seen: Sequence[Sighting]) -> ListedPaper:
    counts = newest_counts(seen)
    return ListedPaper(
        key=row.key,
        listing=row.record,
        upvotes=counts.upvotes,
        comments=counts.comments,
        stars=counts.stars,
        first_listed_on=min((one.listed_on for one in seen), default=row.first_seen_at.date()),
        first_seen_at=row.first_seen_at,
        sources=tuple(sorted({one.source for one in seen})),
    )
