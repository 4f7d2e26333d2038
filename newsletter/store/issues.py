"""Frozen issues in SQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.choice import Choice
from newsletter.core.issue import Draft, Issue, IssueListing, length
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.rendering import Rendering
from newsletter.core.steps import Plan
from newsletter.ports import IssueHeading, IssueOutline, Issues, IssueSummary
from newsletter.store.bulk import among, insert
from newsletter.store.choices import read_choice
from newsletter.store.closing import IssueCloser
from newsletter.store.engine import Database
from newsletter.store.feedback import current_key
from newsletter.store.late_deliveries import add_delivery
from newsletter.store.missed import missed
from newsletter.store.states import state_counts
from newsletter.store.tables import IS_CLOSED, choices, deliveries, issue_listings, issues, subscribers
from newsletter.store.tables import renderings as table
from newsletter.store.workers import Workers

_OUTLINE = (
    sa.select(issues.c.key, issues.c.list, issues.c.day, issues.c.frozen_at, issues.c.terms)
    .where(IS_CLOSED)
    .order_by(issues.c.day.desc())
    .limit(1)
)


# What a summary of an issue needs of its row.
_SUMMARY = ("key", "list", "day", "number", "subject", "frozen_at", "candidates", "terms", "halt", "halted_at")


class SqlIssues(Issues):
    """Closed issues, with their listings, choices, rendering and deliveries."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._closer = IssueCloser(database, workers)

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
        row = await self._database.read_at_once(_first_of(query))
        if row is None:
            return None
        return IssueOutline(
            key=row.key,
            list=row.list,
            day=row.day,
            frozen_at=row.frozen_at,
            masthead=row.terms.masthead,
            landing=row.terms.landing,
        )

    @override
    async def headings(self, lists: Collection[str], *, since: date, until: date) -> list[IssueHeading]:
        which = sa.and_(issues.c.list.in_(lists), issues.c.day.between(since, until))
        async with self._database.read() as connection:
            rows = (await connection.execute(_newest_first(which))).all()
        return [
            IssueHeading(
                list=row.list,
                day=row.day,
                number=row.number,
                subject=row.subject,
                listings=min(row.listings, length(row.candidates, row.terms.max_listings)),
            )
            for row in rows
        ]

    @override
    async def days(self, list_name: str, *, since: date | None = None) -> list[date]:
        query = sa.select(issues.c.day).where(issues.c.list == list_name, IS_CLOSED).order_by(issues.c.day)
        if since is not None:
            query = query.where(issues.c.day >= since)
        async with self._database.read() as connection:
            return list(await connection.scalars(query))

    @override
    async def last_number(self, list_name: str) -> int:
        query = sa.select(sa.func.max(issues.c.number)).where(issues.c.list == list_name, IS_CLOSED)
        async with self._database.read() as connection:
            return await connection.scalar(query) or 0

    @override
    async def competed(self, list_name: str, keys: Collection[int]) -> dict[int, bool]:
        found: dict[int, bool] = {}
        async with self._database.read() as connection:
            query = (
                sa.select(issue_listings.c.issue_key, issue_listings.c.listing_key, issue_listings.c.rank)
                .join(issues, issues.c.key == issue_listings.c.issue_key)
                .where(
                    issues.c.list == list_name, IS_CLOSED, among(connection, issue_listings.c.listing_key, keys)
                )
            )
            places = (await connection.execute(query)).all()
            lengths = await _lengths(connection, {place.issue_key for place in places})
        for place in places:
            is_first = place.rank <= lengths[place.issue_key]
            found[place.listing_key] = found.get(place.listing_key, False) or is_first
        return found

    @override
    async def missed(self, list_name: str, keys: Collection[int]) -> frozenset[int]:
        async with self._database.read() as connection:
            return await missed(connection, list_name, keys)

    @override
    async def listing(self, lists: Collection[str], key: int, *, day: date | None = None) -> IssueListing | None:
        query = (
            sa.select(issue_listings.c.listing_key, issue_listings.c.record)
            .join(issues, issues.c.key == issue_listings.c.issue_key)
            .where(issue_listings.c.listing_key == current_key(key), issues.c.list.in_(lists), IS_CLOSED)
            .order_by(issues.c.day.desc(), issue_listings.c.rank)
            .limit(1)
        )
        if day is not None:
            query = query.where(issues.c.day == day)
        row = await self._database.read_at_once(_first_of(query))
        return None if row is None else replace(row.record, key=row.listing_key)

    @override
    async def machine_summaries(
        self, lists: Collection[str], keys: Collection[int]
    ) -> Mapping[int, MachineSummary]:
        written = sa.type_coerce(issue_listings.c.record, sa.Text)
        async with self._database.read() as connection:
            query = (
                sa.select(issue_listings.c.listing_key, issue_listings.c.record)
                .join(issues, issues.c.key == issue_listings.c.issue_key)
                .where(
                    among(connection, issue_listings.c.listing_key, keys),
                    issues.c.list.in_(lists),
                    IS_CLOSED,
                    written.contains('"machine":{'),  # of most lists, none is read
                )
                .order_by(issues.c.day, issue_listings.c.rank.desc())
            )
            rows = (await connection.execute(query)).all()
        return {row.listing_key: row.record.machine for row in rows if row.record.machine}

    @override
    async def freeze(
        self,
        draft: Draft,
        subject: str,
        plan: Plan,
        *,
        now: datetime,
        renderings: Mapping[str, Rendering] = MappingProxyType({}),
        needs_reader: bool = False,
        once_for_alike: bool = False,
    ) -> tuple[Issue, bool]:
        while (earlier := await self.find(draft.masthead.list, draft.day)) is None:
            made = await self._closer.close(
                draft,
                subject,
                plan,
                now=now,
                rendered=renderings,
                needs_reader=needs_reader,
                all_differ=not once_for_alike,
            )
            if made is not None:
                return made, True
        return earlier, False

    @override
    async def add_delivery(self, issue: Issue, subscriber_key: int, plan: Plan, *, now: datetime) -> bool:
        async with self._database.write() as connection:
            await self._database.alone(connection, f"add a delivery of issue {issue.key}")
            return await add_delivery(connection, issue, subscriber_key, plan, now=now)

    @override
    async def rendering(self, key: int, language: str = "") -> Rendering | None:
        async with self._database.read() as connection:
            return await _rendering(connection, key, language)

    @override
    async def languages(self, key: int) -> tuple[str, ...]:
        query = (
            sa.select(table.c.language)
            .join(issues, issues.c.key == table.c.issue_key)
            .where(table.c.issue_key == key, table.c.language != "", IS_CLOSED)
            .order_by(table.c.language)
        )
        async with self._database.read() as connection:
            return tuple(await connection.scalars(query))

    @override
    async def keep_rendering(self, key: int, rendering: Rendering) -> Rendering:
        async with self._database.write() as connection:
            statement = insert(connection, table).values(issue_key=key, language="", body=rendering)
            await connection.execute(statement.on_conflict_do_nothing())
            return await _rendering(connection, key, "") or rendering

    @override
    async def chosen(self, key: int, address_key: str) -> tuple[Choice, str] | None:
        # From the few subscribers of the address: an issue has a million deliveries.
        of_reader = sa.select(subscribers.c.key).where(subscribers.c.address_key == address_key)
        number = (
            sa.select(deliveries.c.choice)
            .where(deliveries.c.subscriber_key.in_(of_reader), deliveries.c.issue_key == key)
            .limit(1)
            .scalar_subquery()
        )
        query = (
            sa.select(choices.c.chosen, choices.c.subject)
            .join(issues, issues.c.key == choices.c.issue_key)
            .where(IS_CLOSED, choices.c.issue_key == key, choices.c.number == number)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else (read_choice(row.chosen), row.subject)

    @override
    async def history(
        self, list_name: str | None = None, *, limit: int = 50, before: date | None = None
    ) -> list[IssueSummary]:
        which = sa.true() if list_name is None else issues.c.list == list_name
        if before is not None:
            which &= issues.c.day < before
        return list((await self._summaries(_newest_first(which).limit(limit))).values())

    @override
    async def summaries(self, keys: Collection[int]) -> dict[int, IssueSummary]:
        return await self._summaries(_newest_first(issues.c.key.in_(keys))) if keys else {}

    @override
    async def count(self, list_name: str | None = None) -> int:
        query = sa.select(sa.func.count()).select_from(issues).where(IS_CLOSED)
        if list_name is not None:
            query = query.where(issues.c.list == list_name)
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    async def _summaries(self, query: sa.Select[Any]) -> dict[int, IssueSummary]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
            counts = await state_counts(connection, [row.key for row in rows])
        return {
            row.key: IssueSummary(
                list=row.list,
                day=row.day,
                number=row.number,
                subject=row.subject,
                listings=min(row.listings, length(row.candidates, row.terms.max_listings)),
                frozen_at=row.frozen_at,
                deliveries=counts[row.key],
                timezone=row.terms.timezone,
                halt=row.halt,
                halted_at=row.halted_at,
            )
            for row in rows
        }


def _newest_first(which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the SELECT of what summaries of some issues need, the newest issue first."""
    size = (
        sa.select(sa.func.count())
        .where(issue_listings.c.issue_key == issues.c.key)
        .scalar_subquery()
        .label("listings")
    )
    shown = (issues.c[name] for name in _SUMMARY)
    return sa.select(*shown, size).where(which, IS_CLOSED).order_by(issues.c.day.desc(), issues.c.key.desc())


def _first_of(query: sa.Select[Any]) -> Callable[[AsyncConnection], Awaitable[sa.Row[Any] | None]]:
    """Return what reads the first row of a query."""

    async def first(connection: AsyncConnection) -> sa.Row[Any] | None:
        row: sa.Row[Any] | None = (await connection.execute(query)).first()
        return row

    return first


async def _issue(connection: AsyncConnection, which: sa.ColumnElement[bool]) -> Issue | None:
    """Return the newest issue that fits, or None."""
    found = await connection.execute(
        sa.select(issues).where(which, IS_CLOSED).order_by(issues.c.day.desc()).limit(1)
    )
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


async def _rendering(connection: AsyncConnection, key: int, language: str) -> Rendering | None:
    found: Rendering | None = await connection.scalar(
        sa.select(table.c.body)
        .join(issues, issues.c.key == table.c.issue_key)
        .where(table.c.issue_key == key, table.c.language == language, IS_CLOSED)
    )
    return found
