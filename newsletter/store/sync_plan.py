"""What a sync with a list's files would change, person by person.

The queries are of the tables of `newsletter.store.staging`, on the comparison's own connection, and return no more
people than are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.subscriber import Member
from newsletter.core.syncing import Barred, ChangeKind, PlannedChange, changed_wishes
from newsletter.store.column_types import as_text
from newsletter.store.subscriber_rows import MEMBER_COLUMNS, member_of
from newsletter.store.tables import subscribers

_staged = sa.table("staged", *(sa.column(name, sa.Text) for name in MEMBER_COLUMNS))
_differing = sa.table("differing", sa.column("address_key", sa.Text), sa.column("kind", sa.Text))
_gone = sa.table("gone", sa.column("key", sa.BigInteger))

# The rows of members whom the list knows already, or perhaps knows.
_is_theirs = sa.and_(
    subscribers.c.list == sa.bindparam("list_name"), subscribers.c.address_key == _staged.c.address_key
)
_differs = _staged.c.address_key == _differing.c.address_key


def _query(*columns: sa.ColumnElement[Any], among: sa.FromClause, where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(*columns).select_from(among).where(where).order_by(_staged.c.address_key)


_OLD_AND_NEW = (
    *(as_text(subscribers.c[name]) for name in Member._fields),
    *(_staged.c[name].label(f"new_{name}") for name in Member._fields),
)
_QUERIES: Mapping[ChangeKind, sa.Select[Any]] = {
    ChangeKind.ADD: _query(
        _staged.c.email, among=_differing.join(_staged, _differs), where=_differing.c.kind == ChangeKind.ADD
    ),
    ChangeKind.CHANGE: _query(
        _staged.c.email,
        *_OLD_AND_NEW,
        among=_differing.join(_staged, _differs).join(subscribers, _is_theirs),
        where=_differing.c.kind == ChangeKind.CHANGE,
    ),
    ChangeKind.KEEPS: _query(
        _staged.c.email,
        subscribers.c.own_wishes_since,
        *_OLD_AND_NEW,
        among=_differing.join(_staged, _differs).join(subscribers, _is_theirs),
        where=_differing.c.kind == ChangeKind.KEEPS,
    ),
    ChangeKind.REACTIVATE: _query(
        _staged.c.email,
        subscribers.c.updated_at,
        among=_differing.join(_staged, _differs).join(subscribers, _is_theirs),
        where=_differing.c.kind == ChangeKind.REACTIVATE,
    ),
    ChangeKind.REMOVE: (
        sa.select(subscribers.c.email)
        .select_from(_gone.join(subscribers, subscribers.c.key == _gone.c.key))
        .order_by(subscribers.c.address_key)
    ),
}


async def changes(
    connection: AsyncConnection, list_name: str, kind: ChangeKind, *, limit: int
) -> list[PlannedChange]:
    """Return what becomes of people; see `newsletter.ports.Comparison.changes`."""
    reason_of = _REASONS[kind]
    found = await connection.execute(_QUERIES[kind].limit(limit), {"list_name": list_name})
    return [PlannedChange(kind=kind, email=email, reason=reason_of(rest)) for email, *rest in found]


def _changed(values: Sequence[Any]) -> str:
    half = len(Member._fields)
    return changed_wishes(member_of(values[:half]), member_of(values[half:]))


_REASONS: Mapping[ChangeKind, Callable[[Sequence[Any]], str]] = {
    ChangeKind.ADD: lambda _: "new in the files",
    ChangeKind.CHANGE: _changed,
    ChangeKind.KEEPS: lambda values: f"since {values[0]:%F}; not taken over: {_changed(values[1:])}",
    ChangeKind.REACTIVATE: lambda values: f"{Barred('removed', values[0])}, and in the files again",
    ChangeKind.REMOVE: lambda _: "no longer in the files",
}
