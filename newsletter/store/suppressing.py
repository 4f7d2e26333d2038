"""Suppressing an address or a domain in SQL, within the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.address import address_key
from newsletter.core.steps import NOT_YET_SENT, SUPPRESSED, Bar, withdrawal
from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.suppression import SuppressedBy, is_domain
from newsletter.store.bulk import insert
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
    since: datetime | None = None,
) -> bool:
    """Never mail an address again, as `newsletter.ports.Subscribers.suppress` says; the caller is `alone`.

    `since` is what is recorded as its beginning, if that is not now.
    """
    key, on = address_key(address), list_name or EVERY_LIST
    row = {"address_key": key, "list": on, "reason": reason, "since": since or now}
    is_news = await _put(connection, {**row, "evidence": evidence, "made_by": by})
    if is_domain(key):  # its readers stay as they are: what is planned and claimed for them finds this
        return is_news
    theirs = subscribers.c.address_key == key
    if list_name is not None:
        theirs &= subscribers.c.list == list_name
    await connection.execute(
        sa.update(subscribers)
        .where(theirs, subscribers.c.status != SubscriberStatus.UNSUBSCRIBED)
        .values(status=SubscriberStatus.UNSUBSCRIBED, updated_at=now)
    )
    unsubscribed = sa.select(subscribers.c.key).where(theirs)
    which = deliveries.c.subscriber_key.in_(unsubscribed)
    await withdraw(connection, which, Bar(SUPPRESSED, reason), now=now)
    return is_news


async def _put(connection: AsyncConnection, row: dict[str, Any]) -> bool:
    """Put a suppression in; return whether that is news. The operator's word takes the place of any other."""
    put = insert(connection, suppressions)
    said = {name: put.excluded[name] for name in ("reason", "evidence", "made_by")}
    is_stronger = sa.and_(
        put.excluded.made_by == SuppressedBy.OPERATOR, suppressions.c.made_by != SuppressedBy.OPERATOR
    )
    put = put.on_conflict_do_update(index_elements=["address_key", "list"], set_=said, where=is_stronger)
    return await connection.scalar(put.returning(suppressions.c.address_key), row) is not None


async def withdraw(connection: AsyncConnection, which: sa.ColumnElement[bool], bar: Bar, *, now: datetime) -> None:
    """Withdraw those deliveries that are not sent yet, held by a worker or not; those in flight go on."""
    query = sa.select(deliveries.c.key).where(which, deliveries.c.state.in_(NOT_YET_SENT))
    await take_steps(connection, [withdrawal(key, bar, now) for key in await connection.scalars(query)])
