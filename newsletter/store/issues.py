"""Frozen issues in SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.choice import Choice
from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import StaleDraftError
from newsletter.core.issue import Draft, Issue, length
from newsletter.core.rendering import Rendering
from newsletter.core.steps import Plan, opening, require_reader
from newsletter.core.subscriber import SubscriberStatus
from newsletter.ports import IssueOutline, Issues, IssueSummary
from newsletter.store.bulk import among, insert, rows, run
from newsletter.store.choices import Brought, NumberedChoices, read_choice
from newsletter.store.engine import Database
from newsletter.store.statements import ADD_DELIVERIES
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.subscribers import SUPPRESSION
from newsletter.store.tables import choices, deliveries, issue_listings, issues, renderings, subscribers

# Subscribers are read and planned this many at a time, so that a million need no more memory than these.
_PAGE = 1000

_OUTLINE = (
    sa.select(issues.c.key, issues.c.list, issues.c.day, issues.c.frozen_at, issues.c.terms)
    .order_by(issues.c.day.desc())
    .limit(1)
)


class SqlIssues(Issues):
    """Closed issues, with their listings, choices, rendering and deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @override
    async def find(self, list_name: str, day: date) -> Issue | None:
        async with self._database.read() as connection:
            return await _issue(connection, sa.and_(issues.c.list == list_name, issues.c.day == day))

    @override
    async def get(self, key: int) -> Issue | None:
        async with self._database.read() as connection:
            return await _issue(connection, issues.c.key == key)

    @override
    async def latest(self, list_name: str, *, before: date | None = None) -> Issue | None:
        which = issues.c.list == list_name
        if before is not None:
            which &= issues.c.day < before
        async with self._database.read() as connection:
            return await _issue(connection, which)

    @override
    async def outline(self, list_name: str, day: date | None = None) -> IssueOutline | None:
        query = _OUTLINE.where(issues.c.list == list_name)
        if day is not None:
            query = query.where(issues.c.day == day)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return IssueOutline(
            key=row.key, list=row.list, day=row.day, frozen_at=row.frozen_at, masthead=row.terms.masthead
        )

    @override
    async def last_number(self, list_name: str) -> int:
        query = sa.select(sa.func.max(issues.c.number)).where(issues.c.list == list_name)
        async with self._database.read() as connection:
            return await connection.scalar(query) or 0

    @override
    async def competed(self, list_name: str, keys: Collection[int]) -> dict[int, bool]:
        found: dict[int, bool] = {}
        async with self._database.read() as connection:
            query = (
                sa.select(issue_listings.c.issue_key, issue_listings.c.listing_key, issue_listings.c.rank)
                .join(issues, issues.c.key == issue_listings.c.issue_key)
                .where(issues.c.list == list_name, among(connection, issue_listings.c.listing_key, keys))
            )
            places = (await connection.execute(query)).all()
            lengths = await _lengths(connection, {place.issue_key for place in places})
        for place in places:
            is_first = place.rank <= lengths[place.issue_key]
            found[place.listing_key] = found.get(place.listing_key, False) or is_first
        return found

    @override
    async def freeze(
        self,
        draft: Draft,
        subject: str,
        plan: Plan,
        *,
        now: datetime,
        rendering: Rendering | None = None,
        needs_reader: bool = False,
    ) -> tuple[Issue, bool]:
        """A draft is stale, too, when a listing of it was merged into another meanwhile."""
        list_name, readers_of = draft.masthead.list, draft.masthead.readers_of
        async with self._database.write() as connection:
            # What the other edition of the list chooses for its readers must be known here.
            await self._database.alone(connection, f"close an issue of {readers_of}")
            issue = await _add(connection, draft, subject, now)
            if issue is None:
                same_day = sa.and_(issues.c.list == list_name, issues.c.day == draft.day)
                earlier = await _issue(connection, same_day)
                if earlier is None:
                    raise StaleDraftError(f"{list_name} {draft.day}: issue {draft.number} is of another day")
                return earlier, False
            await _add_listings(connection, issue)
            if rendering is not None:
                await connection.execute(sa.insert(renderings).values(issue_key=issue.key, body=rendering))
            reasons = await _plan_deliveries(connection, issue, plan, now)
            if needs_reader:
                require_reader(issue, reasons)
        return issue, True

    @override
    async def rendering(self, key: int) -> Rendering | None:
        async with self._database.read() as connection:
            return await _rendering(connection, key)

    @override
    async def keep_rendering(self, key: int, rendering: Rendering) -> Rendering:
        async with self._database.write() as connection:
            statement = insert(connection, renderings).values(issue_key=key, body=rendering)
            await connection.execute(statement.on_conflict_do_nothing())
            return await _rendering(connection, key) or rendering

    @override
    async def chosen(self, key: int, address_key: str) -> tuple[Choice, str] | None:
        of_delivery = sa.and_(
            deliveries.c.issue_key == choices.c.issue_key, deliveries.c.choice == choices.c.number
        )
        query = (
            sa.select(choices.c.chosen, choices.c.subject)
            .join(deliveries, of_delivery)
            .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
            .where(choices.c.issue_key == key, subscribers.c.address_key == address_key)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else (read_choice(row.chosen), row.subject)

    @override
    async def history(self, list_name: str | None = None, *, limit: int = 50) -> list[IssueSummary]:
        size = (
            sa.select(sa.func.count())
            .where(issue_listings.c.issue_key == issues.c.key)
            .scalar_subquery()
            .label("listings")
        )
        query = sa.select(issues, size).order_by(issues.c.day.desc(), issues.c.key.desc()).limit(limit)
        if list_name is not None:
            query = query.where(issues.c.list == list_name)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            counts = await state_counts(connection, [row.key for row in rows])
        return [
            IssueSummary(
                list=row.list,
                day=row.day,
                number=row.number,
                subject=row.subject,
                listings=min(row.listings, length(row.candidates, row.terms.max_listings)),
                frozen_at=row.frozen_at,
                deliveries=counts[row.key],
            )
            for row in rows
        ]


async def state_counts(connection: AsyncConnection, keys: Sequence[int]) -> dict[int, dict[DeliveryState, int]]:
    """Return how many deliveries of each issue stand in each state; every state is there."""
    counts = {key: dict.fromkeys(DeliveryState, 0) for key in keys}
    query = (
        sa.select(deliveries.c.issue_key, deliveries.c.state, sa.func.count().label("deliveries"))
        .where(deliveries.c.issue_key.in_(keys))
        .group_by(deliveries.c.issue_key, deliveries.c.state)
    )
    for row in await connection.execute(query):
        counts[row.issue_key][row.state] = row.deliveries
    return counts


async def _issue(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> Issue | None:
    """Return the newest issue that fits, or None."""
    found = await connection.execute(sa.select(issues).where(which).order_by(issues.c.day.desc()).limit(1))
    row = found.first()
    if row is None:
        return None
    query = (
        sa.select(issue_listings.c.listing_key, issue_listings.c.record)
        .where(issue_listings.c.issue_key == row.key)
        .order_by(issue_listings.c.rank)
    )
    return Issue(
        key=row.key,
        number=row.number,
        subject=row.subject,
        frozen_at=row.frozen_at,
        terms=row.terms,
        day=row.day,
        candidates=row.candidates,
        listings=tuple(replace(each.record, key=each.listing_key) for each in await connection.execute(query)),
    )


async def _lengths(connection: AsyncConnection, keys: Collection[int]) -> dict[int, int]:
    """Return how many of their listings some issues bring to everybody."""
    query = sa.select(issues.c.key, issues.c.candidates, issues.c.terms).where(issues.c.key.in_(keys))
    return {row.key: length(row.candidates, row.terms.max_listings) for row in await connection.execute(query)}


async def _rendering(connection: AsyncConnection, key: int) -> Rendering | None:
    found: Rendering | None = await connection.scalar(
        sa.select(renderings.c.body).where(renderings.c.issue_key == key)
    )
    return found


async def _add(connection: AsyncConnection, draft: Draft, subject: str, now: datetime) -> Issue | None:
    """Write the issue's own row; None if its list has that day or that number already."""
    statement = (
        insert(connection, issues)
        .values(
            list=draft.masthead.list,
            day=draft.day,
            number=draft.number,
            subject=subject,
            frozen_at=now,
            terms=draft.terms,
            candidates=draft.candidates,
        )
        .on_conflict_do_nothing()
        .returning(issues.c.key)
    )
    key = await connection.scalar(statement)
    return None if key is None else draft.closed(key, subject, now)


async def _add_listings(connection: AsyncConnection, issue: Issue) -> None:
    rows: list[dict[str, Any]] = [
        {"issue_key": issue.key, "rank": listing.rank, "listing_key": listing.key, "record": listing}
        for listing in issue.listings
    ]
    if not rows:
        return
    try:
        await connection.execute(sa.insert(issue_listings), rows)
    except IntegrityError as error:
        raise StaleDraftError(f"{issue.list} {issue.day}: a listing has been merged into another") from error


async def _plan_deliveries(connection: AsyncConnection, issue: Issue, plan: Plan, now: datetime) -> Counter[str]:
    """Write a delivery for each of the issue's subscribers, page by page; who was removed gets none.

    Returns:
        How many begin with each reason; the reason of those that are queued is empty.
    """
    page = (
        sa.select(subscribers.c.address_key, subscribers.c.key, SUPPRESSION, *COLUMNS)
        .where(
            subscribers.c.list == issue.masthead.readers_of,
            subscribers.c.address_key > sa.bindparam("after"),
            subscribers.c.status != SubscriberStatus.REMOVED,
        )
        .order_by(subscribers.c.address_key)
        .limit(_PAGE)
    )
    after, reasons = "", Counter[str]()
    brought, numbered = await Brought.before(connection, issue), NumberedChoices(issue.key)
    while found := (await connection.execute(page, {"after": after})).all():
        after = found[-1].address_key
        readers = {key: (subscriber_of(values), suppression) for _, key, suppression, *values in found}
        getting = [key for key, (reader, _) in readers.items() if issue.terms.suits(reader.cadence)]
        had = await brought.to(connection, getting)
        planned = []
        for key, (reader, suppression) in readers.items():
            one = opening(reader, suppression, had.get(key, frozenset()), plan, now)
            number = None if one.choice is None else numbered.number(one.choice, one.subject)
            planned.append((issue.key, key, number, *one[:-2]))
            reasons[one.reason] += 1
        await numbered.write(connection)
        await run(connection, ADD_DELIVERIES, planned=rows(planned))
    return reasons
