"""Suppressing an address or a domain in SQL, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.address import address_key
from newsletter.core.steps import NOT_YET_SENT, SUPPRESSED, Bar, withdrawal
from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.suppression import SuppressedBy, is_domain
from newsletter.ports import Suppression
from newsletter.store.bulk import among_given, as_parameter, insert_on, is_sqlite, rows, table_given
from newsletter.store.changes import take_steps
from newsletter.store.column_types import Moment
from newsletter.store.tables import EVERY_LIST, deliveries, subscribers, suppressions
from newsletter.store.together import Row, Together, run_together

# The name under which one transaction at a time changes who gets mail (`Database.alone`).
WHO_GETS_MAIL = "change the subscribers"


async def suppress(
    connection: AsyncConnection,
    address: str,
    *,
    list_name: str | None,
    reason: str,
    now: datetime,
    by: SuppressedBy,
    evidence: str = "",
) -> bool:
    """Never mail an address again, as `newsletter.ports.Subscribers.suppress` says; the caller is `alone`."""
    one = Suppression(address=address, list=list_name, reason=reason, since=now, by=by, evidence=evidence)
    return await suppress_all(connection, [one], now=now) > 0


async def suppress_all(connection: AsyncConnection, some: Sequence[Suppression], *, now: datetime) -> int:
    """Never mail addresses again; return how many are news. The caller is `alone`.

    All are written in the one transaction of the caller: some hundreds at once are enough.
    """
    of_lists: dict[str | None, dict[str, str]] = {}
    for one in some:
        if not is_domain(one.address):  # its readers stay as they are: who plans and claims for them finds it
            of_lists.setdefault(one.list, {}).setdefault(address_key(one.address), one.reason)
    statements: list[Together] = [_putting(some, on_sqlite=is_sqlite(connection))] if some else []
    for name, reasons in of_lists.items():
        statements += _taking_off(name, list(reasons), now, on_sqlite=is_sqlite(connection))
    put, *found = await run_together(connection, *statements) if statements else [[]]
    for reasons, waiting in zip(of_lists.values(), found[1::2], strict=True):
        await _withdraw_waiting(connection, waiting, reasons, now)
    return len(put)


_PUT: dict[str, Any] = {
    "address_key": sa.Text,
    "list": sa.Text,
    "reason": sa.Text,
    "since": sa.DateTime(timezone=True),
    "evidence": sa.Text,
    "made_by": sa.Text,
}


def _putting(some: Sequence[Suppression], *, on_sqlite: bool) -> Together:
    """Return the statement that puts suppressions in, with its parameter."""
    given: dict[tuple[str, str], tuple[Any, ...]] = {}
    for one in some:
        key, on = address_key(one.address), one.list or EVERY_LIST
        given.setdefault((key, on), (key, on, one.reason, one.since, one.evidence, one.by.value))
    return _put(on_sqlite=on_sqlite), {"given_rows": rows(list(given.values()))}


@lru_cache(maxsize=2)
def _put(*, on_sqlite: bool) -> sa.Insert:
    """Return the statement that puts suppressions in, and returns those that are news.

    The operator's word takes the place of any other.
    """
    given = table_given(sa.bindparam("given_rows", type_=sa.Text), on_sqlite=on_sqlite, **_PUT)
    values = sa.select(*(given.c[name] for name in _PUT)).where(sa.true()).order_by(given.c.address_key)
    put = insert_on(suppressions, on_sqlite=on_sqlite).from_select(list(_PUT), values, include_defaults=False)
    is_stronger = sa.and_(
        put.excluded.made_by == SuppressedBy.OPERATOR, suppressions.c.made_by != SuppressedBy.OPERATOR
    )
    changed = {name: put.excluded[name] for name in ("reason", "evidence", "made_by")}
    put = put.on_conflict_do_update(index_elements=["address_key", "list"], set_=changed, where=is_stronger)
    return put.returning(suppressions.c.address_key)


def _taking_off(list_name: str | None, keys: list[str], now: datetime, *, on_sqlite: bool) -> list[Together]:
    """Return the statements of `_take_off` with their parameters."""
    values: dict[str, Any] = {"address_keys": as_parameter(keys, on_sqlite=on_sqlite)}
    if list_name is not None:
        values["of_list"] = list_name
    unsubscribe, waiting = _take_off(of_list=list_name is not None, on_sqlite=on_sqlite)
    return [(unsubscribe, {**values, "moment": now}), (waiting, values)]


@lru_cache(maxsize=4)
def _take_off(*, of_list: bool, on_sqlite: bool) -> tuple[sa.Update, sa.Select[Any]]:
    """Return the statement that lets subscribers be unsubscribed, and the one that finds what waits for them.

    It gives the addresses, and where the deliveries stand as `STANDINGS` does; locked in the order of their keys.
    """
    kind = sa.Text() if on_sqlite else sa.ARRAY(sa.Text)
    theirs = among_given(
        subscribers.c.address_key, sa.bindparam("address_keys", None, type_=kind), on_sqlite=on_sqlite
    )
    if of_list:
        theirs &= subscribers.c.list == sa.bindparam("of_list", None, type_=sa.Text)
    unsubscribe = (
        sa.update(subscribers)
        .where(theirs, subscribers.c.status != SubscriberStatus.UNSUBSCRIBED)
        .values(status=SubscriberStatus.UNSUBSCRIBED, updated_at=sa.bindparam("moment", None, type_=Moment))
    )
    one = deliveries.c
    not_yet_sent = sa.or_(*(one.state == state for state in NOT_YET_SENT))  # `run_together` knows no IN
    standing = (one.key, (one.email == "").label("is_erased"), one.state, one.due_at, one.attempts, one.claimed_by)
    waiting = (
        sa.select(subscribers.c.address_key, *standing)
        .join(subscribers, subscribers.c.key == one.subscriber_key)
        .where(theirs, not_yet_sent)
        .order_by(one.key)
        .with_for_update(of=deliveries)
    )
    return unsubscribe, waiting


async def _withdraw_waiting(
    connection: AsyncConnection, waiting: Sequence[Row], reasons: Mapping[str, str], now: datetime
) -> None:
    """Withdraw what waits for subscribers; `reasons` are by address."""
    standings, steps = [], []
    for row in waiting:
        address, *standing = row.values()
        standings.append(standing)
        steps.append(withdrawal(row["key"], Bar(SUPPRESSED, reasons[address]), now))
    await take_steps(connection, steps, standings=standings)


async def withdraw(connection: AsyncConnection, which: sa.ColumnElement[bool], bar: Bar, *, now: datetime) -> None:
    """Withdraw those deliveries that are not sent yet, held by a worker or not; those in flight go on."""
    query = sa.select(deliveries.c.key).where(which, deliveries.c.state.in_(NOT_YET_SENT))
    await take_steps(connection, [withdrawal(key, bar, now) for key in await connection.scalars(query)])
