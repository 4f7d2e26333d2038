"""Subscribers and suppressions in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, time
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from newsletter.core.newsletter_list import Cadence
from newsletter.core.steps import barred
from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus, SyncPlan, address_key
from newsletter.core.topics import TopicsMode
from newsletter.store.bulk import among, in_chunks, rows, run
from newsletter.store.engine import Database
from newsletter.store.suppressing import ROSTER, suppress, withdraw
from newsletter.store.tables import EVERY_LIST, as_text, deliveries, subscribers, suppressions

# A subscriber's columns as the text that they hold; they are read by the million.
SUBSCRIBER = tuple(
    as_text(subscribers.c[name])
    for name in (
        *("list", "email", "name", "topics", "cadence", "hour", "timezone", "topics_mode", "interest"),
        *("status", "origin"),
    )
)

# Why the address of a subscriber is suppressed for the list or for all lists, or NULL.
SUPPRESSION = (
    sa.select(suppressions.c.reason)
    .where(
        suppressions.c.address_key == subscribers.c.address_key,
        suppressions.c.list.in_([subscribers.c.list, EVERY_LIST]),
    )
    .limit(1)
    .scalar_subquery()
    .label("suppression")
)


def read_subscriber(values: Sequence[str], *, email: str = "") -> Subscriber:
    """Return the subscriber of the columns of `SUBSCRIBER`; `email` takes the place of their own address."""
    list_name, address, name, topics, cadence, hour, timezone, topics_mode, interest, status, origin = values
    return Subscriber(
        list=list_name,
        email=email or address,
        name=name,
        topics=_words(topics),
        cadence=Cadence(cadence) if cadence else None,
        hour=time.fromisoformat(hour) if hour else None,
        timezone=timezone,
        topics_mode=TopicsMode(topics_mode) if topics_mode else None,
        interest=interest,
        status=_STATUSES[status],
        origin=_ORIGINS[origin],
    )


# A look into a dictionary takes a fifth of the time in which an Enum finds its member.
_STATUSES = {one.value: one for one in SubscriberStatus}
_ORIGINS = {one.value: one for one in Origin}


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    """Return the words of a JSON array; readers have the same few topics again and again."""
    return tuple(json.loads(text))


def _row(list_name: str, subscriber: Subscriber, now: datetime) -> tuple[Any, ...]:
    """Return a row for `_PUT`."""
    return (
        list_name,
        subscriber.address_key,
        subscriber.email,
        subscriber.name,
        json.dumps(subscriber.topics, ensure_ascii=False),
        subscriber.cadence.value if subscriber.cadence else None,
        subscriber.hour.isoformat() if subscriber.hour else None,
        subscriber.timezone,
        subscriber.topics_mode.value if subscriber.topics_mode else None,
        subscriber.interest,
        subscriber.status.value,
        subscriber.origin.value,
        now,
    )


# Who has unsubscribed stays so, whatever a file says.
_PUT = """
    INSERT INTO subscribers
        (list, address_key, email, name, topics, cadence, hour, timezone, topics_mode, interest, status, origin,
            created_at, updated_at)
    SELECT list, address_key, email, name, topics, cadence, hour, timezone, topics_mode, interest, status, origin,
        now, now
    FROM ROWS(:rows) AS one(list text, address_key text, email text, name text, topics text,
        cadence text, hour text, timezone text, topics_mode text, interest text, status text, origin text,
        now timestamptz)
    WHERE true
    ON CONFLICT (list, address_key) DO UPDATE SET
        email = excluded.email, name = excluded.name, topics = excluded.topics, cadence = excluded.cadence,
        hour = excluded.hour, timezone = excluded.timezone, topics_mode = excluded.topics_mode,
        interest = excluded.interest, origin = excluded.origin, updated_at = excluded.updated_at,
        status = CASE subscribers.status WHEN 'unsubscribed' THEN subscribers.status ELSE excluded.status END
"""


class SqlRoster:
    """Honours `newsletter.ports.Roster`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def subscribers(self, list_name: str) -> list[Subscriber]:
        """See `Roster`."""
        query = sa.select(*SUBSCRIBER).where(subscribers.c.list == list_name).order_by(subscribers.c.address_key)
        async with self._database.read() as connection:
            return [read_subscriber(row) for row in await connection.execute(query)]

    async def anyone_wants(self, list_name: str, cadence: Cadence) -> bool:
        """See `Roster`."""
        query = (
            sa.select(subscribers.c.key)
            .where(
                subscribers.c.list == list_name,
                subscribers.c.cadence == cadence,
                subscribers.c.status == SubscriberStatus.ACTIVE,
            )
            .limit(1)
        )
        async with self._database.read() as connection:
            return await connection.scalar(query) is not None

    async def apply(self, list_name: str, plan: SyncPlan, *, now: datetime) -> None:
        """See `Roster`."""
        async with self._database.write() as connection:
            await self._database.alone(connection, ROSTER)
            for some in in_chunks((*plan.added, *plan.changed, *plan.removed)):
                unique = {one.address_key: _row(list_name, one, now) for one in some}
                await run(connection, _PUT, rows=rows(list(unique.values())))
            for keys in in_chunks([subscriber.address_key for subscriber in plan.removed]):
                gone = sa.select(subscribers.c.key).where(
                    subscribers.c.list == list_name,
                    among(connection, subscribers.c.address_key, keys),
                    subscribers.c.status == SubscriberStatus.REMOVED,
                )
                reason = barred(SubscriberStatus.REMOVED, None)
                await withdraw(connection, deliveries.c.subscriber_key.in_(gone), reason=reason, now=now)

    async def key_of(self, list_name: str, email: str) -> int | None:
        """See `Roster`."""
        query = sa.select(subscribers.c.key).where(
            subscribers.c.list == list_name, subscribers.c.address_key == address_key(email)
        )
        async with self._database.read() as connection:
            return await connection.scalar(query)

    async def by_key(self, key: int) -> Subscriber | None:
        """See `Roster`."""
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(*SUBSCRIBER).where(subscribers.c.key == key))
            row = rows.first()
            return None if row is None else read_subscriber(row)

    async def suppress(self, email: str, *, list_name: str | None, reason: str, now: datetime) -> bool:
        """See `Roster`."""
        async with self._database.write() as connection:
            await self._database.alone(connection, ROSTER)
            return await suppress(connection, email, list_name=list_name, reason=reason, now=now)

    async def suppressed(self, list_name: str) -> set[str]:
        """See `Roster`."""
        query = sa.select(suppressions.c.address_key).where(suppressions.c.list.in_([list_name, EVERY_LIST]))
        async with self._database.read() as connection:
            return set(await connection.scalars(query))
