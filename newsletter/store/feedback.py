"""What readers said of papers, in SQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.examples import with_examples
from newsletter.core.likeness import Example, Opinion
from newsletter.ports import Feedback, Said
from newsletter.store.bulk import among, insert
from newsletter.store.engine import Database
from newsletter.store.examples import KnownExamples
from newsletter.store.subscriber_rows import read_examples
from newsletter.store.tables import feedback, listings, merged_listings, subscribers

# What a reader said, newest first, that is kept, and that issues are chosen by.
_KEPT, _COUNTED = 100, 30

# Papers that are remembered while an issue is closed, some 15 KB each.
_EXAMPLES = 2000

# The name under which one transaction at a time changes the keys of listings (`Database.alone`).
RECORDING = "record listings"

_NEWEST_FIRST = (feedback.c.at.desc(), feedback.c.listing_key)


class SqlFeedback(Feedback):
    """A row for each reader and paper."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def say(self, subscriber_key: int, listing_key: int, *, liked: bool, now: datetime) -> None:
        async def keep(connection: AsyncConnection) -> None:
            await self._database.alone(connection, RECORDING)  # or the listing may be merged meanwhile
            paper = await connection.scalar(sa.select(current_key(listing_key)))
            said = {"liked": liked, "at": now}
            row = insert(connection, feedback).values(subscriber_key=subscriber_key, listing_key=paper, **said)
            await connection.execute(
                row.on_conflict_do_update(index_elements=["subscriber_key", "listing_key"], set_=said)
            )
            theirs = feedback.c.subscriber_key == subscriber_key
            kept = sa.select(feedback.c.listing_key).where(theirs).order_by(*_NEWEST_FIRST).limit(_KEPT)
            await connection.execute(sa.delete(feedback).where(theirs, feedback.c.listing_key.not_in(kept)))

        await self._database.write_at_once(keep)

    @override
    async def take_back(self, subscriber_key: int, listing_key: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(sa.delete(feedback).where(_of(subscriber_key, listing_key)))

    @override
    async def said(self, subscriber_key: int, listing_key: int) -> bool | None:
        query = sa.select(feedback.c.liked).where(_of(subscriber_key, listing_key))
        async with self._database.read() as connection:
            liked: bool | None = await connection.scalar(query)
        return liked

    @override
    async def of_address(self, list_name: str, address_key: str) -> tuple[Opinion, ...]:
        query = sa.select(subscribers.c.key, subscribers.c.examples).where(
            subscribers.c.list == list_name, subscribers.c.address_key == address_key
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
            if row is None:
                return ()
            said = await Opinions(frozenset({row.key})).of(connection, [row.key])
            examples = await KnownExamples().of(connection, {row.key: read_examples(row.examples)})
        return with_examples(said.get(row.key, ()), examples.get(row.key, ()))

    @override
    async def all_of(self, subscriber_key: int) -> list[Said]:
        query = (
            sa.select(feedback.c.listing_key, listings.c.record, feedback.c.liked)
            .join(listings, listings.c.key == feedback.c.listing_key)
            .where(feedback.c.subscriber_key == subscriber_key)
            .order_by(*_NEWEST_FIRST)
        )
        async with self._database.read() as connection:
            return [Said(*row) for row in await connection.execute(query)]


class Opinions:
    """What readers said of papers, as issues are chosen by it; asked for many readers at once.

    `speakers` are those who may have said anything. None: who has is found out at the first question, since of a
    million readers these are few.
    """

    def __init__(self, speakers: frozenset[int] | None = None) -> None:
        self._speakers = speakers
        self._examples: dict[int, Example] = {}

    async def of(self, connection: AsyncConnection, readers: Collection[int]) -> dict[int, tuple[Opinion, ...]]:
        """Return what some subscribers said, newest first, by their keys; those who said nothing are left out."""
        if self._speakers is None:
            self._speakers = frozenset(await connection.scalars(sa.select(feedback.c.subscriber_key).distinct()))
        speakers = self._speakers.intersection(readers)
        if not speakers:
            return {}
        query = (
            sa.select(feedback.c.subscriber_key, feedback.c.listing_key, feedback.c.liked)
            .where(among(connection, feedback.c.subscriber_key, speakers))
            .order_by(feedback.c.subscriber_key, *_NEWEST_FIRST)
        )
        rows = (await connection.execute(query)).all()
        said = {
            reader: [(key, liked) for _, key, liked in theirs][:_COUNTED]
            for reader, theirs in groupby(rows, key=lambda row: row.subscriber_key)
        }
        examples = await self._of_papers(connection, {key for theirs in said.values() for key, _ in theirs})
        return {
            reader: tuple([Opinion(examples[key], liked) for key, liked in theirs])
            for reader, theirs in said.items()
        }

    async def _of_papers(self, connection: AsyncConnection, keys: Collection[int]) -> dict[int, Example]:
        """Return papers as examples; those that are not remembered are read."""
        if len(self._examples) > _EXAMPLES:
            self._examples.clear()
        unknown = [key for key in keys if key not in self._examples]
        if unknown:
            query = sa.select(listings.c.key, listings.c.record).where(among(connection, listings.c.key, unknown))
            for key, listing in await connection.execute(query):
                self._examples[key] = Example.of(key, listing)
        return self._examples


def current_key(listing_key: int) -> sa.ColumnElement[int]:
    """Return the key that a listing has now, where the one given may be that of a listing that was merged."""
    merged = sa.select(merged_listings.c.listing_key).where(merged_listings.c.former_key == listing_key)
    return sa.func.coalesce(merged.scalar_subquery(), sa.literal(listing_key, sa.BigInteger))


async def follow_merge(connection: AsyncConnection, was: int, now: int) -> None:
    """Let what was said of a listing follow when it becomes part of another, and its key lead there."""
    other = feedback.alias("other")
    is_newer = sa.tuple_(other.c.at, other.c.listing_key) > sa.tuple_(feedback.c.at, feedback.c.listing_key)
    pair = [was, now]
    is_outdated = sa.exists().where(
        other.c.subscriber_key == feedback.c.subscriber_key, other.c.listing_key.in_(pair), is_newer
    )
    await connection.execute(sa.delete(feedback).where(feedback.c.listing_key.in_(pair), is_outdated))
    for table in (feedback, merged_listings):
        await connection.execute(sa.update(table).where(table.c.listing_key == was).values(listing_key=now))
    await connection.execute(sa.insert(merged_listings).values(former_key=was, listing_key=now))


def _of(subscriber_key: int, listing_key: int) -> sa.ColumnElement[bool]:
    return sa.and_(feedback.c.subscriber_key == subscriber_key, feedback.c.listing_key == current_key(listing_key))
