"""The readers of an issue, a range of their keys at a time, grouped by what a plan depends on; in SQL.

Of five million readers most wish what many others wish, and were brought the same before. One plan is made for
each such group, and the database writes the deliveries of the whole group itself. The text that tells groups apart
holds all columns that a plan depends on, as they are, so no two groups can be mistaken for one. Who has something
of their own (opinions of papers, or examples) is a group of one, and so is everybody where a plan looks at
addresses: such a group is told by the reader's key alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.issue import Issue
from newsletter.core.subscriber import SubscriberStatus
from newsletter.store.barring import SUPPRESSION
from newsletter.store.bulk import is_sqlite, table_of
from newsletter.store.choices import Brought
from newsletter.store.column_types import as_text
from newsletter.store.missed import Missed
from newsletter.store.subscriber_rows import FIELDS
from newsletter.store.tables import deliveries, feedback, subscribers

# What a plan does not depend on, if it is made once for all who are alike.
_OF_ONE_READER = ("email", "name", "list", "origin")
_SHARED = tuple(as_text(subscribers.c[name]) for name in FIELDS if name not in _OF_ONE_READER)


class Alike(NamedTuple):
    """Readers whose deliveries begin alike: what tells them from others, the key of one of them, and how many."""

    told_by: str
    key: int
    count: int

    @property
    def is_one_reader(self) -> bool:
        """Return whether this is one reader, whoever else wishes the same."""
        return self.told_by.isdigit()


class BeginsAlike(NamedTuple):
    """How the deliveries of readers who are alike begin; `choice` is a number. See `core.steps.Opening`."""

    told_by: str
    choice: int | None
    state: str
    due_at: datetime
    ready_at: datetime | None
    reason: str
    text: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Readers by their keys: those after the first one, up to the last."""

    after: int
    until: int
    all_differ: bool = False  # whether each is a group of their own, and those who have a delivery are left out


class ReadersAlike:
    """The readers of an issue who get a delivery: all of its list who were not removed.

    Args:
        issue: that is being closed.
        brought: what earlier issues brought them.
        missed: which of them they missed.
        all_differ: whether the plan looks at addresses or names, so that it is asked for each reader.
    """

    def __init__(self, issue: Issue, brought: Brought, missed: Missed, *, all_differ: bool) -> None:
        self._issue_key, self._all_differ = issue.key, all_differ
        self._brought, self._missed = brought, missed
        self._are_readers = sa.and_(
            subscribers.c.list == issue.masthead.readers_of, subscribers.c.status != SubscriberStatus.REMOVED
        )

    async def next_range(self, connection: AsyncConnection, after: int, size: int) -> Range | None:
        """Return the range of so many readers after a key; None if there is none left."""
        page = sa.select(subscribers.c.key).where(self._are_readers, subscribers.c.key > after)
        page = page.order_by(subscribers.c.key).limit(size)
        until = await connection.scalar(sa.select(sa.func.max(page.subquery().c.key)))
        return None if until is None else Range(after=after, until=until)

    async def groups(self, connection: AsyncConnection, of: Range) -> list[Alike]:
        """Return who is alike among the readers of a range."""
        readers = self._readers(connection, of).subquery("readers")
        query = sa.select(readers.c.told_by, sa.func.min(readers.c.key), sa.func.count()).group_by(
            readers.c.told_by
        )
        return [Alike._make(row) for row in await connection.execute(query)]

    async def add(self, connection: AsyncConnection, of: Range, begin: Sequence[BeginsAlike]) -> int:
        """Write the deliveries of a range of readers, in the order of their keys; return how many.

        Who has changed meanwhile, and is not alike any more, is left out.
        """
        readers = self._readers(connection, of).subquery("readers")
        planned = table_of(
            connection,
            begin,
            told_by=sa.Text,
            choice=sa.Integer,
            state=sa.Text,
            due_at=sa.DateTime(timezone=True),
            ready_at=sa.DateTime(timezone=True),
            reason=sa.Text,
            text=sa.Text,
            updated_at=sa.DateTime(timezone=True),
        )
        values = {
            "issue_key": sa.literal(self._issue_key, sa.BigInteger),
            "subscriber_key": readers.c.key,
            "email": readers.c.email,
            "name": readers.c.name,
            **{name: planned.c[name] for name in BeginsAlike._fields if name != "told_by"},
            "attempts": sa.literal(0, sa.Integer),
            "relay": sa.literal("", sa.Text),
        }
        rows = (
            sa.select(*values.values())
            .join_from(readers, planned, planned.c.told_by == readers.c.told_by)
            .order_by(readers.c.key)
        )
        # Nothing that Python fills in: the SELECT has all columns that need a value.
        adding = sa.insert(deliveries).from_select(list(values), rows, include_defaults=False)
        done = await connection.execute(adding, execution_options={"preserve_rowcount": True})
        return done.rowcount

    def _readers(self, connection: AsyncConnection, of: Range) -> sa.Select[Any]:
        """Return the SELECT of the readers of a range, each with what tells whom they are alike."""
        key = subscribers.c.key
        own = sa.cast(key, sa.Text)
        if self._all_differ or of.all_differ:
            told_by: sa.ColumnElement[str] = own
        else:
            told_by = sa.case((self._have_own(), own), else_=self._shared(connection))
        columns = (key, subscribers.c.email, subscribers.c.name, told_by.label("told_by"))
        query = sa.select(*columns).where(self._are_readers, key > of.after, key <= of.until)
        if of.all_differ:
            theirs = sa.and_(deliveries.c.subscriber_key == key, deliveries.c.issue_key == self._issue_key)
            query = query.where(~sa.exists().where(theirs))
        return query

    def _have_own(self) -> sa.ColumnElement[bool]:
        """Return whether a reader has said what hardly another has."""
        said = sa.exists().where(feedback.c.subscriber_key == subscribers.c.key)
        return sa.or_(subscribers.c.examples != "[]", said)

    def _shared(self, connection: AsyncConnection) -> sa.ColumnElement[str]:
        """Return all that a plan depends on as one text."""
        key = subscribers.c.key
        past = (*self._brought.choices_of(key), *self._missed.told_by(key))
        columns = (*_SHARED, sa.type_coerce(SUPPRESSION, sa.Text), *past)
        if is_sqlite(connection):
            return sa.func.json_array(*columns, type_=sa.Text)
        return sa.cast(sa.func.row(*columns), sa.Text)
