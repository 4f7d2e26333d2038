"""A delivery of an issue that is closed already: for a reader who joined later and wants it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.choice import Choice
from newsletter.core.halt import Halt
from newsletter.core.issue import Issue
from newsletter.core.steps import Plan, opening
from newsletter.store.barring import SUPPRESSION
from newsletter.store.choices import Brought, written
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.tables import choices, deliveries, issues, subscribers


async def add_delivery(
    connection: AsyncConnection, issue: Issue, subscriber_key: int, plan: Plan, *, now: datetime
) -> bool:
    """Do what `newsletter.ports.Issues.add_delivery` says; the caller is alone with the issue."""
    reader = sa.select(SUPPRESSION, *COLUMNS).where(subscribers.c.key == subscriber_key)
    row = (await connection.execute(reader)).first()
    theirs = sa.exists().where(deliveries.c.subscriber_key == subscriber_key, deliveries.c.issue_key == issue.key)
    if row is None or await connection.scalar(sa.select(theirs)):
        return False
    halt = await connection.scalar(sa.select(issues.c.halt).where(issues.c.key == issue.key))
    if halt is Halt.CANCELLED:
        return False
    suppression, *fields = row
    had = await (await Brought.before(connection, issue)).to(connection, {subscriber_key})
    begins = opening(subscriber_of(fields), suppression, had.get(subscriber_key, frozenset()), plan, now)
    if begins.choice is None:
        return False
    values = begins._asdict()
    number = await _number(connection, issue.key, values.pop("choice"), values.pop("subject"))
    await connection.execute(
        sa.insert(deliveries).values(
            issue_key=issue.key, subscriber_key=subscriber_key, choice=number, attempts=0, relay="", **values
        )
    )
    count = {"delivery_count": issues.c.delivery_count + 1}
    await connection.execute(sa.update(issues).where(issues.c.key == issue.key).values(count))
    return True


async def _number(connection: AsyncConnection, issue_key: int, choice: Choice, subject: str) -> int:
    """Return the number of a choice of an issue; one that nobody has yet is added."""
    chosen, of_issue = written(choice).decode(), choices.c.issue_key == issue_key
    same = sa.select(choices.c.number).where(of_issue, choices.c.chosen == chosen).limit(1)
    known: int | None = await connection.scalar(same)
    if known is not None:
        return known
    last: int = await connection.scalar(sa.select(sa.func.max(choices.c.number)).where(of_issue)) or 0
    await connection.execute(
        sa.insert(choices).values(issue_key=issue_key, number=last + 1, chosen=chosen, subject=subject)
    )
    return last + 1
