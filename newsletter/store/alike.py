"""The readers of an issue, a range of their keys at a time, grouped by what a plan depends on; in SQL.

Of five million readers most wish what many others wish, and were brought the same before. One plan is made for
each such group, and the database writes the deliveries of the whole group itself. The text that tells groups apart
holds all columns that a plan depends on, as they are, so no two groups can be mistaken for one. Who has something
of their own (opinions of papers, or examples) is a group of one, and so is everybody where a plan looks at
addresses: such a group is told by the reader's key alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.issue import Issue
from newsletter.core.subscriber import SubscriberStatus
from newsletter.store.barring import SUPPRESSION
from newsletter.store.bulk import all_of, array_of, each_of, is_sqlite, table_of
from newsletter.store.choices import Brought
from newsletter.store.column_types import as_text
from newsletter.store.missed import Missed
from newsletter.store.subscriber_rows import FIELDS
from newsletter.store.tables import deliveries, feedback, subscribers, suppressions

# What a plan does not depend on, if it is made once for all who are alike.
_OF_ONE_READER = ("email", "name", "list", "origin")
_SHARED = tuple(as_text(subscribers.c[name]) for name in FIELDS if name not in _OF_ONE_READER)


class Alike(NamedTuple):
    """Readers whose deliveries begin alike.

    Args:
        told_by: what tells them from others.
        one: the key of one of them.
        number: how many they are.
        keys: their keys, as text of the database that nobody else looks at.
    """

    told_by: str
    one: int
    number: int
    keys: str

    @property
    def is_one_reader(self) -> bool:
        """Return whether this is one reader, whoever else wishes the same."""
        return self.told_by.isdigit()


class BeginsAlike(NamedTuple):
    """How the deliveries of readers who are alike begin; `choice` is a number. See `core.steps.Opening`."""

    choice: int | None
    state: str
    due_at: datetime
    ready_at: datetime | None
    reason: str
    text: str
    updated_at: datetime


_BEGINS: dict[str, Any] = {
    "choice": sa.Integer,
    "state": sa.Text,
    "due_at": sa.DateTime(timezone=True),
    "ready_at": sa.DateTime(timezone=True),
    "reason": sa.Text,
    "text": sa.Text,
    "updated_at": sa.DateTime(timezone=True),
}


class Page(NamedTuple):
    """Some of an issue's readers, by who is alike: those whose keys come after the page before, up to the last."""

    after: int
    until: int
    groups: Sequence[Alike]


Begun: TypeAlias = tuple[BeginsAlike, Alike]  # how the deliveries of some readers begin


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

    async def page(self, connection: AsyncConnection, after: int, size: int) -> Page | None:
        """Return so many readers after a key; None if there are none left."""
        key = subscribers.c.key
        some = sa.select(key).where(self._are_readers, key > after).order_by(key).limit(size).subquery()
        columns: list[sa.ColumnElement[Any]] = [sa.func.max(some.c.key)]
        if not is_sqlite(connection):  # it groups some thousand texts sooner by their hashes than it sorts them
            columns.append(sa.func.set_config("enable_sort", "off", sa.true()))
        until = (await connection.execute(sa.select(*columns))).scalar()
        if until is None:
            return None
        readers = self._told(connection, after, until).subquery("readers")
        one, number = sa.func.min(readers.c.key), sa.func.count()
        query = sa.select(readers.c.told_by, one, number, all_of(connection, readers.c.key))
        rows = await connection.execute(query.group_by(readers.c.told_by))
        return Page(after, until, [Alike(*row) for row in rows])

    async def add(self, connection: AsyncConnection, page: Page, begin: Sequence[Begun]) -> None:
        """Write the deliveries of a page of readers, in the order of the readers' keys."""
        planned, each, key = _each_planned(connection, begin)
        readers = _readers_of(page)
        values = {
            "issue_key": sa.literal(self._issue_key, sa.BigInteger),
            "subscriber_key": readers.c.key,
            "email": readers.c.email,
            "name": readers.c.name,
            **{name: planned[name] for name in BeginsAlike._fields},
            "attempts": sa.literal(0, sa.Integer),
            "relay": sa.literal("", sa.Text),
        }
        query = (
            sa.select(*values.values())
            .select_from(each.join(readers, readers.c.key == key))
            .order_by(readers.c.key)
        )
        adding = sa.insert(deliveries).from_select(list(values), query, include_defaults=False)
        await connection.execute(adding)

    def _told(self, connection: AsyncConnection, after: int, until: int) -> sa.Select[int, str]:
        """Return the SELECT of readers' keys with the texts that tell whom each is alike."""
        key = subscribers.c.key
        own, past = sa.cast(key, sa.Text), None
        if not (on_sqlite := is_sqlite(connection)) and not self._all_differ:
            # PostgreSQL reads what a range of readers had far sooner than it looks it up for each of them.
            past = self._brought.choices_between(after, until)
        told_by: sa.ColumnElement[str] = own
        if not self._all_differ:
            had = self._brought.choices_of(key) if on_sqlite else () if past is None else (past.c.chosen,)
            columns = (*_SHARED, _suppression(), *self._missed.told_by(key), *had)
            told_by = sa.case((_have_own(), own), else_=_as_one_text(connection, columns))
        if not on_sqlite:  # which compares bytes anyway; by a language's rules it takes far longer
            told_by = sa.collate(told_by, "C")
        readers = subscribers if past is None else subscribers.outerjoin(past, past.c.subscriber_key == key)
        of_page = (self._are_readers, key > after, key <= until)
        return sa.select(key, told_by.label("told_by")).select_from(readers).where(*of_page)


def _have_own() -> sa.ColumnElement[bool]:
    """Return whether a reader has something of their own: opinions of papers, or examples."""
    said = sa.exists().where(feedback.c.subscriber_key == subscribers.c.key)
    return sa.or_(subscribers.c.examples != "[]", said)


def _as_one_text(connection: AsyncConnection, columns: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[str]:
    """Return columns as one text; that of other values is another one."""
    if is_sqlite(connection):
        return sa.func.json_array(*columns, type_=sa.Text)
    return sa.cast(sa.func.row(*columns), sa.Text)


def _readers_of(page: Page) -> sa.CTE:
    """Return the subscribers of a page; PostgreSQL reads them at once, and does not look up each."""
    which = (subscribers.c.key > page.after, subscribers.c.key <= page.until)
    query = sa.select(subscribers.c.key, subscribers.c.email, subscribers.c.name).where(*which).cte("readers")
    return query.prefix_with("MATERIALIZED", dialect="postgresql")


def _each_planned(
    connection: AsyncConnection, begin: Sequence[Begun]
) -> tuple[Mapping[str, sa.ColumnElement[Any]], sa.Join, sa.ColumnElement[int]]:
    """Return how deliveries begin by their fields, a table of them for each reader, and the reader's key there."""
    if is_sqlite(connection):
        planned = table_of(
            connection, [(*begins, alike.keys) for begins, alike in begin], **_BEGINS, readers=sa.Text
        )
        key = each_of(connection, planned.c.readers)
        return {**planned.c}, planned.join(key, sa.true()), key.c.value
    # Deliveries of thousands of groups begin in a few ways, but for their choices. PostgreSQL reads each way once
    # as JSON, which it is slow to read, and all else as three arrays.
    ways: dict[tuple[Any, ...], int] = {}
    which = [ways.setdefault(begins[1:], len(ways)) for begins, _ in begin]
    of_way = {name: kind for name, kind in _BEGINS.items() if name != "choice"}
    way = table_of(connection, [(*one, place) for one, place in ways.items()], **of_way, place=sa.BigInteger)
    keys = sa.func.string_to_array(";".join(alike.keys for _, alike in begin), ";")
    choices = array_of([begins.choice for begins, _ in begin])
    columns = (sa.column("readers", sa.Text), sa.column("choice", sa.Integer), sa.column("way", sa.Integer))
    groups = sa.func.unnest(keys, choices, array_of(which)).table_valued(*columns).render_derived()
    key = each_of(connection, groups.c.readers)
    each = way.join(groups, groups.c.way == way.c.place).join(key, sa.true())
    return {**way.c, "choice": groups.c.choice}, each, key.c.value


def _suppression() -> sa.ColumnElement[str]:
    """Return why an address is suppressed. Few are: that nothing says so is found out sooner than what counts."""
    own = sa.exists().where(suppressions.c.address_key == subscribers.c.address_key)
    of_any_domain = sa.exists().where(suppressions.c.address_key >= "@", suppressions.c.address_key < "A")
    return sa.case((sa.or_(own, of_any_domain), sa.type_coerce(SUPPRESSION, sa.Text)), else_=sa.null())
