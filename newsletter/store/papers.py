"""Single papers and the search, in SQL."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.errors import SearchError, StoreError
from newsletter.core.full_text import Query
from newsletter.core.identity import ListingId, usual_form
from newsletter.core.listing import Sighting
from newsletter.ports.papers import Found, InIssue, Paper, PaperAddress, Papers
from newsletter.store.bulk import is_sqlite, raw_connection
from newsletter.store.engine import Database
from newsletter.store.search_index import fts5_query, has_index, tsquery
from newsletter.store.tables import IS_CLOSED, issue_listings, issues, listing_ids, listings, sightings

log = structlog.get_logger(__name__)

T = TypeVar("T")

_SECONDS = 2.0  # that a search may take
_AT_A_TIME, _MOST_WAITING = 2, 40  # searches: others that read shall find a connection to SQLite free
_NEARBY = 2000  # listings that became known before or after a paper, among which others like it are looked for
_AT_ONCE = 500  # listings
_STEPS = 10_000  # of SQLite's virtual machine between two looks at the clock
_TOO_LONG = "57014"  # PostgreSQL, appendix A: query_canceled

_SIGHTING = tuple(
    sightings.c[name] for name in ("source", "listed_on", "seen_at", "position", "upvotes", "comments", "stars")
)

# The key of what is found, and how well it fits: less is better. FTS5 counts a word of the title as eight.
_FTS5 = """
    SELECT rowid AS key, bm25(listing_search, 8.0, 4.0, 1.0) AS rank
    FROM listing_search WHERE listing_search MATCH :asked
"""
_TSVECTOR = """
    SELECT listing_key AS key, -ts_rank('{0.1, 0.2, 0.5, 1.0}', document, CAST(:asked AS tsquery), 1) AS rank
    FROM listing_search WHERE document @@ CAST(:asked AS tsquery)
"""


class SqlPapers(Papers):
    """Listings with their sightings and issues, and the index of their words."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(_AT_A_TIME)
        self._waiting = 0

    @override
    async def find(self, identity: ListingId) -> Paper | None:
        async def find(connection: AsyncConnection) -> Paper | None:
            usual = usual_form(identity)
            paper = await _paper(connection, identity)
            return paper if paper or usual == identity else await _paper(connection, usual)

        return await self._database.read_at_once(find)

    @override
    async def search(
        self, query: Query, *, sources: Sequence[str] | None = None, offset: int = 0, limit: int = 20
    ) -> Found:
        if not query.terms:
            return Found()

        async def find(connection: AsyncConnection) -> Found:
            hits = await self._hits(connection, query)
            if sources is not None:
                shown = sightings.c.source.in_(sources) & (sightings.c.listing_key == hits.c.key)
                hits = sa.select(hits).where(sa.exists().where(shown)).subquery("hits")
            total = await connection.scalar(sa.select(sa.func.count()).select_from(hits))
            best = sa.select(hits.c.key).order_by(hits.c.rank, hits.c.key.desc()).offset(offset).limit(limit)
            return Found(keys=tuple(await connection.scalars(best)), total=total or 0)

        return await self._within_time(find)

    @override
    async def near(self, key: int, query: Query, *, limit: int) -> tuple[int, ...]:
        if not query.terms:
            return ()

        async def find(connection: AsyncConnection) -> tuple[int, ...]:
            hits = await self._hits(connection, query, around=key)
            best = sa.select(hits.c.key).where(hits.c.key != key).order_by(hits.c.rank, hits.c.key.desc())
            return tuple(await connection.scalars(best.limit(limit)))

        try:
            return await self._within_time(find)
        except SearchError as error:
            log.info("no_papers_nearby", key=key, reason=str(error))
            return ()

    @override
    async def newest_key(self) -> int:
        async with self._database.read() as connection:
            return await connection.scalar(sa.select(sa.func.max(listings.c.key))) or 0

    @override
    async def addresses(self, *, since: int = 1, until: int | None = None) -> AsyncIterator[PaperAddress]:
        last = await self.newest_key() if until is None else until
        while since <= last:
            some = await self._database.read_at_once(partial(_addresses, since=since, until=last))
            for one in some:
                yield one
            if not some:
                return
            since = some[-1].key + 1

    async def _hits(self, connection: AsyncConnection, query: Query, *, around: int | None = None) -> sa.Subquery:
        """Return the rows `key`, `rank` that a query finds, among all listings or those around one."""
        if not await has_index(connection):
            raise SearchError("Search is off: this server's SQLite was built without FTS5.")
        on_sqlite = is_sqlite(connection)
        statement = _FTS5 if on_sqlite else _TSVECTOR
        values: dict[str, object] = {"asked": (fts5_query if on_sqlite else tsquery)(query)}
        if around is not None:
            statement += f"AND {'rowid' if on_sqlite else 'listing_key'} BETWEEN :first AND :last"
            values |= {"first": around - _NEARBY, "last": around + _NEARBY}
        typed = sa.text(statement).bindparams(**values).columns(key=sa.BigInteger, rank=sa.Float)
        return typed.subquery("hits")

    async def _within_time(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Read something, for two seconds at most, and few at a time.

        Raises:
            SearchError: it takes longer, or many wait already.
        """
        if self._waiting >= _MOST_WAITING:
            raise SearchError("Many are searching right now. Please try again in a moment.")

        async def bounded(connection: AsyncConnection) -> T:
            async with _bounded(connection):
                return await work(connection)

        self._waiting += 1
        try:
            async with self._turns:
                return await self._database.read_at_once(bounded)
        except StoreError as error:
            if not _is_broken_off(error.__cause__):
                raise
            raise SearchError("That took too long: too many papers fit. Please add a word.") from None
        finally:
            self._waiting -= 1


@asynccontextmanager
async def _bounded(connection: AsyncConnection) -> AsyncIterator[None]:
    """Break off what a transaction reads, if it takes too long."""
    if not is_sqlite(connection):
        await connection.execute(sa.text(f"SET LOCAL statement_timeout = {int(1000 * _SECONDS)}"))
        yield
        return
    driver, end = await raw_connection(connection), monotonic() + _SECONDS
    await driver.set_progress_handler(lambda: monotonic() > end, _STEPS)
    try:
        yield
    finally:
        await driver.set_progress_handler(None, _STEPS)


def _is_broken_off(error: BaseException | None) -> bool:
    cause = getattr(error, "orig", error)
    interrupted = getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT
    return interrupted or getattr(cause, "sqlstate", "") == _TOO_LONG


async def _addresses(connection: AsyncConnection, *, since: int, until: int) -> list[PaperAddress]:
    """Return some of the papers of a range of numbers, from its beginning."""
    seen = sa.select(sa.func.max(sightings.c.seen_at)).where(sightings.c.listing_key == listings.c.key)
    query = (
        sa.select(
            listings.c.key, listings.c.record, listings.c.updated_at, seen.scalar_subquery().label("seen_at")
        )
        .where(listings.c.key.between(since, until))
        .order_by(listings.c.key)
        .limit(_AT_ONCE)
    )
    rows = await connection.execute(query)
    return [
        PaperAddress(row.key, row.record.id, max(row.updated_at, row.seen_at or row.updated_at)) for row in rows
    ]


async def _paper(connection: AsyncConnection, identity: ListingId) -> Paper | None:
    """Return the paper that an identity stands for."""
    named = sa.select(listing_ids.c.listing_key).where(listing_ids.c.identity == str(identity))
    found = (await connection.execute(sa.select(listings).where(listings.c.key.in_(named)))).all()
    # Papers of one title, or that one page is about, are told apart by what is stronger.
    own = [row for row in found if row.record.id == identity] or found
    if len(own) != 1:
        return None
    row = own[0]
    seen = sa.select(*_SIGHTING).where(sightings.c.listing_key == row.key)
    shown = [
        Sighting(**each)
        for each in (await connection.execute(seen.order_by(sightings.c.seen_at, sightings.c.key))).mappings()
    ]
    rows = await connection.execute(_issues_with(row.key))
    return Paper(
        key=row.key,
        listing=row.record,
        updated_at=max([row.updated_at, *(one.seen_at for one in shown)]),
        sightings=tuple(shown),
        issues=tuple(_in_issue(each) for each in rows if not each.record.again),
    )


def _issues_with(key: int) -> sa.Select[Any]:
    shown = (issues.c.list, issues.c.day, issues.c.terms, issues.c.candidates)
    return (
        sa.select(*shown, issue_listings.c.rank, issue_listings.c.record)
        .join(issues, issues.c.key == issue_listings.c.issue_key)
        .where(issue_listings.c.listing_key == key, IS_CLOSED)
        .order_by(issues.c.day.desc(), issues.c.list, issue_listings.c.rank)
    )


def _in_issue(row: Any) -> InIssue:
    return InIssue(
        list=row.list,
        title=row.terms.masthead.title,
        day=row.day,
        cadence=row.terms.cadence,
        rank=row.rank,
        listings=max(row.candidates, row.rank),
        upvotes=row.record.upvotes,
        machine=row.record.machine,
    )
