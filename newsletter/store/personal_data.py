"""All that is known of one person, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from newsletter.core.address import address_key
from newsletter.core.barring import ERASED
from newsletter.core.errors import StoreError
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import editions_of
from newsletter.core.steps import SUPPRESSED, Bar
from newsletter.core.suppression import SuppressedBy, whole_domain
from newsletter.ports import Erasure, Known, PersonalData
from newsletter.store.bulk import is_sqlite
from newsletter.store.engine import Database
from newsletter.store.erased import erased, erased_since, keep_hash
from newsletter.store.half_issues import closing_of
from newsletter.store.personal_tables import PERSONAL_TABLES, SOMEBODY, Person
from newsletter.store.subscriber_records import RECORDS, record_of
from newsletter.store.suppressing import WHO_GETS_MAIL, withdraw
from newsletter.store.tables import (
    EVERY_LIST,
    IS_CLOSED,
    deliveries,
    issues,
    subscribers,
    suppressions,
)
from newsletter.store.together import select_all
from newsletter.store.workers import Workers


class SqlPersonalData(PersonalData):
    """Goes through the tables of `newsletter.store.personal_tables`."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database = database
        self._workers = workers

    @override
    async def known(self, address: str) -> Known:
        key, hashes = address_key(address), self._database.hashes
        hashed = {f"hash_{place}": value for place, value in enumerate(hashes.each(key))}
        values = {"address_key": key, "domain": whole_domain(key), **hashed}
        async with self._database.read() as connection:
            records, erased_ones, *told = await select_all(connection, _all_queries(len(hashed)), values)
        rows = {
            heading: [{name: _plain(value) for name, value in row.items()} for row in rows]
            for heading, rows in zip(_TOLD, told, strict=True)
        }
        return Known([record_of(tuple(row.values())) for row in records], erased_ones[0]["since"], rows)

    @override
    async def erased_since(self, address: str) -> datetime | None:
        async with self._database.read() as connection:
            return await erased_since(connection, self._database.hashes, address_key(address))

    @override
    async def unrecognised(self) -> int:
        query = sa.select(sa.func.count()).where(erased.c.key_id.not_in(self._database.hashes.key_ids))
        async with self._database.read() as connection:
            return int(await connection.scalar(query) or 0)

    @override
    async def erase(self, address: str, *, now: datetime) -> Erasure:
        async with self._database.write() as connection:
            await self._database.alone(connection, WHO_GETS_MAIL)
            if is_sqlite(connection):  # or what was deleted would stand in the file until its place is needed
                await connection.exec_driver_sql("PRAGMA secure_delete = ON")
            person = await _person(connection, address)
            await self._check_nobody_closes(connection, person)
            await _withdraw_all(connection, person, now)
            stays = await _is_barred_by_operator(connection, person)
            rows = {
                each.table.name: (await connection.execute(each.erasing(person))).rowcount
                for each in PERSONAL_TABLES
            }
            since = await keep_hash(connection, self._database.hashes, address_key(address), now, stays=stays)
        return Erasure(rows, since)

    async def _check_nobody_closes(self, connection: AsyncConnection, person: Person) -> None:
        """Keep issues of a person's lists from being closed until the transaction ends.

        Who closes one has read its readers some time before writing their deliveries, and would write the address.

        Raises:
            StoreError: somebody is closing one just now.
        """
        for name in person.lists:
            await self._database.alone(connection, closing_of(name))
        half = sa.select(issues.c.list, issues.c.closing_by).where(
            issues.c.list.in_([each for name in person.lists for each in editions_of(name)]), sa.not_(IS_CLOSED)
        )
        found = (await connection.execute(half)).all()
        dead = await self._workers.dead([worker for _, worker in found])
        for name, worker in found:
            if worker not in dead:
                raise StoreError(f"an issue of {name} is being closed just now: run it again in a minute")


_TOLD = tuple(each.heading for each in PERSONAL_TABLES if each.told is not None)


@lru_cache(maxsize=4)
def _all_queries(hashes: int) -> Sequence[sa.Select[Any]]:
    """Return the queries for a person's records, since when they are erased, and what else is told of them.

    Their parameters are those of `SOMEBODY`, and so many hashes of the address.
    """
    theirs = [sa.bindparam(f"hash_{place}", type_=sa.Text) for place in range(hashes)]
    return (
        RECORDS.where(subscribers.c.address_key == SOMEBODY.address_key).order_by(subscribers.c.key),
        sa.select(sa.func.min(erased.c.since).label("since")).where(erased.c.hash.in_(theirs)),
        *(each.told(SOMEBODY) for each in PERSONAL_TABLES if each.told is not None),
    )


async def _person(connection: AsyncConnection, address: str) -> Person:
    key = address_key(address)
    theirs = sa.select(subscribers.c.key, subscribers.c.list).where(subscribers.c.address_key == key)
    rows = (await connection.execute(theirs.order_by(subscribers.c.list))).all()
    return Person(key, whole_domain(key), tuple(row.key for row in rows), tuple(row.list for row in rows))


async def _withdraw_all(connection: AsyncConnection, person: Person, now: datetime) -> None:
    """Withdraw what is not sent to a person yet; all of their deliveries are locked, in the order of all."""
    which = deliveries.c.subscriber_key.in_(person.subscriber_keys)
    await connection.execute(sa.select(deliveries.c.key).where(which).order_by(deliveries.c.key).with_for_update())
    await withdraw(connection, which, Bar(SUPPRESSED, ERASED), now=now)


async def _is_barred_by_operator(connection: AsyncConnection, person: Person) -> bool:
    """Return whether the operator suppressed an address on all lists."""
    query = sa.select(suppressions.c.since).where(
        suppressions.c.address_key == person.address_key,
        suppressions.c.list == EVERY_LIST,
        suppressions.c.made_by == SuppressedBy.OPERATOR,
    )
    return await connection.scalar(query) is not None


def _plain(value: Any) -> Any:
    """Return a value as JSON shows it: of a paper, the title."""
    if isinstance(value, Listing):
        return value.title
    return value.value if isinstance(value, Enum) else value
