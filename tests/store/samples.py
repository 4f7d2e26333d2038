"""Values for tests of the store: made-up papers, pages, drafts and subscribers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from newsletter.core.delivery import Change, Delivery, DeliveryState, Outcome, Planned, RetryPolicy, begun, settled
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.newsletter_list import Masthead
from newsletter.core.steps import Plan
from newsletter.core.subscriber import Subscriber, Wishes
from newsletter.core.syncing import SyncCounts
from newsletter.core.terms import Terms
from newsletter.core.topics import Topic
from newsletter.ports import DeliveryRecord, Recorded, Store
from newsletter.store.bulk import insert
from newsletter.store.engine import Database, connect
from newsletter.store.subscriber_rows import COLUMNS, MEMBER_COLUMNS, member_row, subscriber_of
from newsletter.store.tables import subscribers as subscribers_table
from tests.rosters import member

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOURCE = "huggingface"
LIST = "daily"


def instead(wishes: Wishes) -> Callable[[Wishes], Wishes]:
    """Return the change by which a reader has these wishes, whatever they had."""
    return lambda _: wishes


def paper(number: int, **values: Any) -> Listing:
    known = {"title": f"On the Nature of Number {number}", "arxiv_id": f"2603.{number:05}"}
    return Listing(**{**known, **values})


def entry(
    listing: Listing, *, source: str = SOURCE, day: date = DAY, at: datetime = NOW, position: int = 0, **votes: Any
) -> Entry:
    return Entry(
        listing=listing,
        sighting=Sighting(source=source, listed_on=day, seen_at=at, position=position, **votes),
    )


def page(listings: Iterable[Listing], **values: Any) -> list[Entry]:
    return [entry(listing, position=position, **values) for position, listing in enumerate(listings)]


async def record(store: Store, *listings: Listing, **values: Any) -> Recorded:
    """Record a page of these listings."""
    source, day, at = values.get("source", SOURCE), values.get("day", DAY), values.get("at", NOW)
    return await store.library.record(source, day, page(listings, **values), now=at)


async def keys(store: Store, *sources: str) -> dict[str, int]:
    """Return the keys of all listings by title."""
    found = await store.library.candidates(sources or (SOURCE,), since=date.min, until=date.max)
    return {candidate.listing.title: candidate.key for candidate in found}


def draft(*listings: IssueListing, day: date = DAY, number: int = 1, list_name: str = LIST) -> Draft:
    masthead = Masthead(
        list=list_name, title="Daily", sender="Daily <daily@example.org>", theme={"accent": "#c00"}
    )
    terms = Terms(masthead=masthead, stale_after=timedelta(hours=36), topics={"one": Topic(name="one")})
    return Draft(terms=terms, day=day, number=number, candidates=len(listings) + 2, listings=listings)


def in_issue(key: int, rank: int = 1, listing: Listing | None = None) -> IssueListing:
    return IssueListing(
        key=key,
        rank=rank,
        listing=listing or paper(key, abstract="It is even.", authors=("A. One", "B. Two"), published_on=DAY),
        listed_on=DAY,
        score=1.25,
        reasons=("3 upvotes", "new"),
        upvotes=3,
        stars=None,
    )


def subscriber(number: int | str = 1, list_name: str = LIST, **values: Any) -> Subscriber:
    return Subscriber(**{"list": list_name, "email": f"reader{number}@example.org", **values})


async def join(store: Store, *subscribers: Subscriber, now: datetime = NOW) -> None:
    """Add subscribers to their lists, or change what is known of them, however they come; others stay."""
    rows = [_row(one, now) for one in {(one.list, one.address_key): one for one in subscribers}.values()]
    database: Database = store._database  # type: ignore[attr-defined]
    async with database.write() as connection:
        for row in rows:
            put = insert(connection, subscribers_table).values(row)
            changed = {
                name: value for name, value in row.items() if name not in {"list", "address_key", "created_at"}
            }
            await connection.execute(
                put.on_conflict_do_update(index_elements=["list", "address_key"], set_=changed)
            )


async def of_list(store: Store, list_name: str = LIST) -> list[Subscriber]:
    """Return all subscribers of a list, of every status, by address."""
    query = sa.select(*COLUMNS).where(subscribers_table.c.list == list_name)
    database: Database = store._database  # type: ignore[attr-defined]
    async with database.read() as connection:
        rows = await connection.execute(query.order_by(subscribers_table.c.address_key))
        return [subscriber_of(row) for row in rows]


def _row(one: Subscriber, now: datetime) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(MEMBER_COLUMNS, member_row(member(one)), strict=True))
    row |= {name: getattr(one, name) for name in ("list", "status", "origin")}
    row["paused_until"] = one.paused_until and one.paused_until.isoformat()
    return {**row, "created_at": now, "updated_at": now}


async def synced(store: Store, *named: Subscriber, list_name: str = LIST, now: datetime = NOW) -> SyncCounts:
    """Bring the subscribers of a list into line with files that name these people, and nobody else."""
    async with store.subscribers.compare(list_name, map(member, named)) as comparison:
        await comparison.apply(None, now=now)
    return comparison.counts


def due(at: datetime = NOW) -> Plan:
    """Return a plan by which everybody's copy is due at one moment."""
    return lambda _, _had: Planned(due_at=at)


async def frozen(
    store: Store, readers: int = 0, *, day: date = DAY, number: int = 1, list_name: str = LIST, at: datetime = NOW
) -> Issue:
    """Freeze an issue without listings for new readers of a list."""
    await join(store, *(subscriber(one, list_name) for one in range(readers)))
    issue, created = await store.issues.freeze(
        draft(day=day, number=number, list_name=list_name), "Papers", due(at), now=NOW
    )
    assert created
    return issue


def outcome(delivery: Delivery, state: DeliveryState, *, at: datetime = NOW, **values: Any) -> Change:
    """Return the step that an attempt's outcome makes."""
    return settled(delivery, Outcome(state=state, relay="relay:25", **values), at, RetryPolicy(), 0.5)


async def attempt(store: Store, delivery: Delivery, state: DeliveryState, **values: Any) -> None:
    """Begin a claimed delivery and settle it."""
    left_out = await store.outbox.record([begun(delivery, NOW), outcome(delivery, state, **values)])
    assert not left_out


async def key_of(store: Store, list_name: str, email: str) -> int:
    """Return the store's number of a subscriber: the first that is theirs."""
    for key in range(1, 1000):
        found = await store.subscribers.by_key(key)
        if found is not None and (found.list, found.email) == (list_name, email):
            return key
    raise LookupError(f"{email} is not on {list_name}")


async def suppressed(store: Store, list_name: str) -> set[str]:
    """Return the addresses that are never mailed on a list."""
    return {one.address for one in await store.suppressions.find(list_name=list_name) if not one.held}


def why(record: DeliveryRecord) -> str:
    """Return the reason of a delivery's state, with what is known of it in words."""
    return ": ".join(part for part in (record.reason, record.text) if part)


@asynccontextmanager
async def at(url: str, **options: Any) -> AsyncIterator[Database]:
    """Open a database beneath the store, for a look or a blow."""
    database = connect(url, **options)
    try:
        yield database
    finally:
        await database.close()
