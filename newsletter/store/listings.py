"""Listings and sightings in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.identity import IdKind, ListingId
from newsletter.core.listing import Candidate, Entry, Sighting
from newsletter.core.matching import Known, Placement, first_shown, keys_of, place, unseen
from newsletter.ports import Library, Recorded, SourceHealth
from newsletter.store.bulk import among, insert
from newsletter.store.engine import Database
from newsletter.store.feedback import RECORDING, follow_merge
from newsletter.store.machine_texts import move_texts
from newsletter.store.search_index import add_to_index, drop_from_index
from newsletter.store.tables import issue_listings, ledger, listing_ids, listings, readings, sightings

_SIGHTING = (
    sightings.c.source,
    sightings.c.listed_on,
    sightings.c.seen_at,
    sightings.c.position,
    sightings.c.upvotes,
    sightings.c.comments,
    sightings.c.stars,
)


log = structlog.get_logger(__name__)


class SqlLibrary(Library):
    """Listings, with what identifies them and where they were seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def record(self, source: str, day: date, entries: Sequence[Entry], *, now: datetime) -> Recorded:
        async with self._database.write() as connection:
            await self._database.alone(connection, RECORDING)
            rows = await _known(connection, entries)
            known = [Known.of(row.key, row.record, ids) for row, ids in rows]
            before = {one: (row.record, frozenset(ids)) for one, (row, ids) in zip(known, rows, strict=True)}
            placement = place(known, entries)
            placed = list(dict.fromkeys(placement.of))
            new = [one for one in placed if one.key is None]
            await _join(connection, placement)
            shown = await _shown(connection, source, placed)
            page = first_shown(zip(placement.of, entries, strict=True), day, shown)
            changed = [one for one in placed if one in before and before[one][0] != one.listing]
            await _add(connection, new, now)
            await _rewrite(connection, changed, now)
            await add_to_index(
                connection, {one.key: one.listing for one in (*new, *changed) if one.key is not None}
            )
            await _name(
                connection, [one for one in placed if one not in before or not before[one][1].issuperset(one.ids)]
            )
            await _see(connection, page)
            await _note(connection, source, day, read_at=now, listings=len(placed))
        for merge in placement.merges_in_words:
            log.info("listings_merged", source=source, day=str(day), merge=merge)
        repeats = placement.repeated(entries)
        return Recorded(listings=len(placed), new=len(new), merged=placement.merges_in_words, repeats=repeats)

    @override
    async def attempted(self, source: str, day: date, *, now: datetime, settled: bool, error: str = "") -> None:
        async with self._database.write() as connection:
            await _note(connection, source, day, attempted_at=now, settled=settled, error=error)

    @override
    async def unsettled(self, source: str) -> frozenset[date]:
        query = sa.select(readings.c.day).where(
            readings.c.source == source, readings.c.attempted_at.is_not(None), ~readings.c.settled
        )
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    @override
    async def read_days(self, source: str) -> frozenset[date]:
        query = sa.select(readings.c.day).where(readings.c.source == source, readings.c.read_at.is_not(None))
        async with self._database.read() as connection:
            return frozenset(await connection.scalars(query))

    @override
    async def health(self, source: str) -> SourceHealth:
        read_at = sa.select(sa.func.max(readings.c.read_at)).where(readings.c.source == source)
        last_tried = sa.select(sa.func.max(readings.c.attempted_at)).where(readings.c.source == source)
        last = (
            sa.select(readings.c.attempted_at, readings.c.error)
            .where(readings.c.source == source, readings.c.attempted_at == last_tried.scalar_subquery())
            .order_by((readings.c.error == "").asc(), readings.c.day.desc())  # of a run's pages one that failed
            .limit(1)
        )
        async with self._database.read() as connection:
            answered: datetime | None = await connection.scalar(read_at)
            row = (await connection.execute(last)).first()
        return SourceHealth(
            source=source,
            read_at=answered,
            tried_at=row.attempted_at if row else None,
            error=row.error if row else "",
        )

    @override
    async def candidates(self, sources: Sequence[str], *, since: date, until: date) -> list[Candidate]:
        shown = sa.and_(sightings.c.source.in_(sources), sightings.c.listed_on.between(since, until))
        seen = (
            sa.select(sightings.c.listing_key, *_SIGHTING)
            .where(shown)
            .order_by(sightings.c.listing_key, sightings.c.seen_at, sightings.c.key)
        )
        records = sa.select(listings.c.key, listings.c.record).where(
            listings.c.key.in_(sa.select(sightings.c.listing_key).where(shown))
        )
        async with self._database.read() as connection:
            record_of = {row.key: row.record for row in await connection.execute(records)}
            rows = (await connection.execute(seen)).all()
        return [
            Candidate(key=key, listing=record_of[key], sightings=tuple(_sighting(row) for row in group))
            for key, group in groupby(rows, key=lambda row: row.listing_key)
        ]


def _sighting(row: Any) -> Sighting:
    return Sighting(**{column.name: getattr(row, column.name) for column in _SIGHTING})


async def _known(connection: AsyncConnection, entries: Sequence[Entry]) -> list[tuple[Any, list[ListingId]]]:
    """Return the rows of all listings that may be one of the entries, with what they are known by."""
    identities = {str(identity) for entry in entries for identity in keys_of(entry)}
    sharing = sa.select(listing_ids.c.listing_key).where(among(connection, listing_ids.c.identity, identities))
    ids: dict[int, list[ListingId]] = {}
    for row in await connection.execute(sa.select(listing_ids).where(listing_ids.c.listing_key.in_(sharing))):
        kind, _, value = row.identity.partition(":")
        ids.setdefault(row.listing_key, []).append(ListingId(IdKind(kind), value))
    stored = await connection.execute(sa.select(listings).where(among(connection, listings.c.key, ids)))
    return [(row, ids[row.key]) for row in stored]


async def _shown(connection: AsyncConnection, source: str, placed: Iterable[Known]) -> dict[int, date] | None:
    """Return the last day on which a source listed each of some listings; None if it was never read before.

    Nor was it where a backup was restored, and it was not read since the time that this does not know.
    """
    since = sa.select(ledger.c.assumed_until).scalar_subquery()
    is_known = sa.or_(since.is_(None), readings.c.read_at > since)
    read = sa.select(sa.exists().where(readings.c.source == source, readings.c.read_at.is_not(None), is_known))
    if not await connection.scalar(read):
        return None
    keys = {one.key for one in placed if one.key is not None}
    rows = await connection.execute(
        sa.select(sightings.c.listing_key, sa.func.max(sightings.c.listed_on).label("day"))
        .where(among(connection, sightings.c.listing_key, keys), sightings.c.source == source)
        .group_by(sightings.c.listing_key)
    )
    return {row.listing_key: row.day for row in rows}


async def _join(connection: AsyncConnection, placement: Placement) -> None:
    """Let history follow where two listings are one. Frozen records of issues stay as they were sent."""
    for was, now in placement.moves:
        for table in (sightings, issue_listings):
            await connection.execute(sa.update(table).where(table.c.listing_key == was).values(listing_key=now))
        await follow_merge(connection, was, now)
        await move_texts(connection, was, now)
        await connection.execute(sa.delete(listing_ids).where(listing_ids.c.listing_key == was))
        await drop_from_index(connection, was)
        await connection.execute(sa.delete(listings).where(listings.c.key == was))


async def _add(connection: AsyncConnection, new: Sequence[Known], now: datetime) -> None:
    if new:
        statement = sa.insert(listings).returning(listings.c.key, sort_by_parameter_order=True)
        rows = [{"record": one.listing, "first_seen_at": now, "updated_at": now} for one in new]
        for one, key in zip(new, await connection.scalars(statement, rows), strict=True):
            one.key = key


async def _rewrite(connection: AsyncConnection, changed: Iterable[Known], now: datetime) -> None:
    rows = [{"listing": one.key, "record": one.listing, "updated_at": now} for one in changed]
    if rows:
        await connection.execute(sa.update(listings).where(listings.c.key == sa.bindparam("listing")), rows)


async def _name(connection: AsyncConnection, renamed: Iterable[Known]) -> None:
    rows = [{"identity": str(identity), "listing_key": one.key} for one in renamed for identity in one.ids]
    if rows:
        await connection.execute(insert(connection, listing_ids).on_conflict_do_nothing(), rows)


async def _see(connection: AsyncConnection, page: list[tuple[Known, Entry]]) -> None:
    """Add the sightings of a page that are not on record."""
    seen: dict[tuple[int, str, date], list[Sighting]] = {}
    query = (
        sa.select(sightings.c.listing_key, *_SIGHTING)
        .where(
            among(connection, sightings.c.listing_key, {one.key for one, _ in page if one.key is not None}),
            sightings.c.source.in_({entry.sighting.source for _, entry in page}),
            sightings.c.listed_on.in_({entry.sighting.listed_on for _, entry in page}),
        )
        .order_by(sightings.c.key)
    )
    for row in await connection.execute(query):
        seen.setdefault((row.listing_key, row.source, row.listed_on), []).append(_sighting(row))
    rows = [{"listing_key": one.key, **asdict(sighting)} for one, sighting in unseen(page, seen)]
    if rows:
        await connection.execute(sa.insert(sightings), rows)


async def _note(connection: AsyncConnection, source: str, day: date, **facts: Any) -> None:
    """Keep what reading a page came to; a day that was settled once stays so."""
    statement = insert(connection, readings).values(
        {"source": source, "day": day, "settled": False, "error": "", **facts}
    )
    learnt: dict[str, Any] = {name: statement.excluded[name] for name in facts}
    if "settled" in facts:
        learnt["settled"] = readings.c.settled | statement.excluded.settled
    await connection.execute(statement.on_conflict_do_update(index_elements=["source", "day"], set_=learnt))
