"""Suppressing an address in SQL, within the caller's transaction: an unsubscription, a bounce, a dead mailbox."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.address import address_key
from newsletter.core.steps import NOT_YET_SENT, SUPPRESSED, Bar, withdrawal
from newsletter.core.subscriber import SubscriberStatus
from newsletter.store.bulk import insert
from newsletter.store.changes import take_steps
from newsletter.store.tables import EVERY_LIST, deliveries, subscribers, suppressions

# The name under which one transaction at a time changes who gets mail (`Database.alone`).
WHO_GETS_MAIL = "change the subscribers"


async def suppress(
    connection: AsyncConnection,
    email: str,
    *,
    list_name: str | None,
    reason: str,
    now: datetime,
    since: datetime | None = None,
) -> bool:
    """Never mail an address again, as `newsletter.ports.Subscribers.suppress` says; the caller is `alone`.

    `since` is what is recorded as its beginning, if that is not now.
    """
    key = address_key(email)
    statement = insert(connection, suppressions).on_conflict_do_nothing().returning(suppressions.c.address_key)
    row = {"address_key": key, "list": list_name or EVERY_LIST, "reason": reason, "since": since or now}
    is_news = await connection.scalar(statement, row) is not None
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


async def withdraw(connection: AsyncConnection, which: sa.ColumnElement[bool], bar: Bar, *, now: datetime) -> None:
    """Withdraw those deliveries that are not sent yet, held by a worker or not; those in flight go on."""
    query = sa.select(deliveries.c.key).where(which, deliveries.c.state.in_(NOT_YET_SENT))
    await take_steps(connection, [withdrawal(key, bar, now) for key in await connection.scalars(query)])
