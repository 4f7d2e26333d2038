"""Suppressing an address or a domain in SQL, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.address import address_key
from newsletter.core.steps import NOT_YET_SENT, SUPPRESSED, Bar, withdrawal
from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.suppression import SuppressedBy, is_domain
from newsletter.ports import Suppression
from newsletter.store.bulk import among, insert, table_of
from newsletter.store.changes import take_steps
from newsletter.store.tables import EVERY_LIST, deliveries, subscribers, suppressions

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
    news = await _put(connection, some)
    of_lists: dict[str | None, dict[str, str]] = {}
    for one in some:
        if not is_domain(one.address):  # its readers stay as they are: who plans and claims for them finds it
            of_lists.setdefault(one.list, {}).setdefault(address_key(one.address), one.reason)
    for name, reasons in of_lists.items():
        await _take_off(connection, name, reasons, now)
    return news


_PUT: dict[str, Any] = {
    "address_key": sa.Text,
    "list": sa.Text,
    "reason": sa.Text,
    "since": sa.DateTime(timezone=True),
    "evidence": sa.Text,
    "made_by": sa.Text,
}


async def _put(connection: AsyncConnection, some: Sequence[Suppression]) -> int:
    """Put suppressions in; return how many are news. The operator's word takes the place of any other."""
    rows: dict[tuple[str, str], tuple[Any, ...]] = {}
    for one in some:
        key, on = address_key(one.address), one.list or EVERY_LIST
        rows.setdefault((key, on), (key, on, one.reason, one.since, one.evidence, one.by.value))
    if not rows:
        return 0
    # A list of values would be written anew for each call: that takes longer than all else.
    given = table_of(connection, list(rows.values()), **_PUT)
    values = sa.select(*(given.c[name] for name in _PUT)).where(sa.true()).order_by(given.c.address_key)
    put = insert(connection, suppressions).from_select(list(_PUT), values, include_defaults=False)
    is_stronger = sa.and_(
        put.excluded.made_by == SuppressedBy.OPERATOR, suppressions.c.made_by != SuppressedBy.OPERATOR
    )
    changed = {name: put.excluded[name] for name in ("reason", "evidence", "made_by")}
    put = put.on_conflict_do_update(index_elements=["address_key", "list"], set_=changed, where=is_stronger)
    return len((await connection.execute(put.returning(suppressions.c.address_key))).all())


async def _take_off(
    connection: AsyncConnection, list_name: str | None, reasons: Mapping[str, str], now: datetime
) -> None:
    """Let subscribers be unsubscribed, and withdraw what is not sent to them yet; `reasons` are by address."""
    theirs = among(connection, subscribers.c.address_key, reasons)
    if list_name is not None:
        theirs &= subscribers.c.list == list_name
    await connection.execute(
        sa.update(subscribers)
        .where(theirs, subscribers.c.status != SubscriberStatus.UNSUBSCRIBED)
        .values(status=SubscriberStatus.UNSUBSCRIBED, updated_at=now)
    )
    waiting = (
        sa.select(deliveries.c.key, subscribers.c.address_key)
        .join(subscribers, subscribers.c.key == deliveries.c.subscriber_key)
        .where(theirs, deliveries.c.state.in_(NOT_YET_SENT))
    )
    steps = [
        withdrawal(key, Bar(SUPPRESSED, reasons[address]), now)
        for key, address in await connection.execute(waiting)
    ]
    await take_steps(connection, steps)


async def withdraw(connection: AsyncConnection, which: sa.ColumnElement[bool], bar: Bar, *, now: datetime) -> None:
    """Withdraw those deliveries that are not sent yet, held by a worker or not; those in flight go on."""
    query = sa.select(deliveries.c.key).where(which, deliveries.c.state.in_(NOT_YET_SENT))
    await take_steps(connection, [withdrawal(key, bar, now) for key in await connection.scalars(query)])
