"""What readers chose by themselves, in SQL, within the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.steps import NOT_YET_SENT, PAUSED
from newsletter.core.subscriber import Member, Subscriber, SubscriberStatus, Wishes
from newsletter.store.missed import note_other_edition
from newsletter.store.subscriber_rows import COLUMNS, MEMBER_COLUMNS, member_row, subscriber_of
from newsletter.store.suppressing import withdraw
from newsletter.store.tables import deliveries, issues, subscribers


async def change_wishes(
    connection: AsyncConnection, key: int, change: Callable[[Wishes], Wishes], *, now: datetime
) -> Subscriber | None:
    """Change a reader's wishes, as `newsletter.ports.Subscribers` says; the caller is `alone`."""
    this = subscribers.c.key == key
    is_active = subscribers.c.status == SubscriberStatus.ACTIVE
    row = (await connection.execute(sa.select(*COLUMNS).where(this, is_active))).first()
    if row is None:
        return None
    before = subscriber_of(row)
    after = replace(before, **change(before.wishes)._asdict())
    if after == before:
        return before
    was, member = _stated(before), _stated(after)
    values = dict(zip(MEMBER_COLUMNS, member_row(member), strict=True))
    values["paused_until"] = None if after.paused_until is None else after.paused_until.isoformat()
    changed = sa.update(subscribers).where(this).values(**values, updated_at=now)
    if member != was:
        changed = changed.values(own_wishes_since=sa.func.coalesce(subscribers.c.own_wishes_since, now))
    await connection.execute(changed)
    if after.cadence is not before.cadence:
        await note_other_edition(connection, after.list, now=now)
    if after.paused_until is not None and after.paused_until != before.paused_until:
        await _withdraw(connection, key, after.paused_until, now)
    return after


def _stated(subscriber: Subscriber) -> Member:
    """Return of a subscriber what a file may state."""
    return Member._make(getattr(subscriber, name) for name in Member._fields)


async def _withdraw(connection: AsyncConnection, key: int, until: date, now: datetime) -> None:
    """Withdraw what a reader who pauses was not sent yet, of issues of days before the pause ends."""
    theirs = sa.and_(deliveries.c.subscriber_key == key, deliveries.c.state.in_(NOT_YET_SENT))
    waiting = sa.select(deliveries.c.issue_key).where(theirs)
    of_days_before = sa.and_(issues.c.key.in_(waiting), issues.c.day < until)
    # The issues first, as all transactions lock them before their deliveries.
    missed = sa.update(issues).where(of_days_before).values(was_missed=True).returning(issues.c.key)
    keys = list(await connection.scalars(missed))
    await withdraw(connection, sa.and_(theirs, deliveries.c.issue_key.in_(keys)), PAUSED, now=now)
