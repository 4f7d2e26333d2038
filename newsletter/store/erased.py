"""Whose data was erased, in SQL: keyed hashes of their addresses (`newsletter.core.erasure`)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.erasure import AddressHashes, Erased
from newsletter.store.column_types import Exact, Moment
from newsletter.store.tables import metadata, subscribers

erased = sa.Table(
    "erased",
    metadata,
    sa.Column("hash", Exact, primary_key=True),
    sa.Column("key_id", sa.Text, nullable=False),  # which secret the hash was made with
    # The operator had suppressed the address on all lists: no confirmation ends that.
    sa.Column("stays", sa.Boolean, nullable=False),
    sa.Column("since", Moment, nullable=False),
)

# Who was erased has no address any more, and is nobody's reader (`newsletter.store.personal_tables`).
IS_SOMEBODY = subscribers.c.email != ""


async def erased_people(connection: AsyncConnection, hashes: AddressHashes) -> Erased:
    """Return whose data was erased."""
    rows = await connection.execute(sa.select(erased.c.hash, erased.c.since))
    return Erased(hashes, {row.hash: row.since for row in rows})


async def end_by_confirmation(connection: AsyncConnection, hashes: AddressHashes, key: str) -> datetime | None:
    """Forget that the data of an address was erased, as its reader comes back; unless the operator barred it.

    Returns:
        Since when the address stays out; None if it doesn't.
    """
    which = erased.c.hash.in_(hashes.each(key))
    lasting = await connection.scalar(sa.select(erased.c.since).where(which, erased.c.stays))
    await connection.execute(sa.delete(erased).where(which, sa.not_(erased.c.stays)))
    return lasting


async def readmit(connection: AsyncConnection, hashes: AddressHashes, key: str) -> bool:
    """Forget that the data of an address was erased; return whether it was."""
    gone = sa.delete(erased).where(erased.c.hash.in_(hashes.each(key)))
    return (await connection.execute(gone)).rowcount > 0


async def erased_since(connection: AsyncConnection, hashes: AddressHashes, key: str) -> datetime | None:
    """Return when the data of an address was erased; None if it wasn't."""
    since: datetime | None = await connection.scalar(
        sa.select(sa.func.min(erased.c.since)).where(erased.c.hash.in_(hashes.each(key)))
    )
    return since


async def keep_hash(
    connection: AsyncConnection, hashes: AddressHashes, key: str, now: datetime, *, stays: bool
) -> datetime:
    """Keep the hash of an address, if there is none yet; return since when there is one."""
    known = await erased_since(connection, hashes, key)
    if known is None:
        row = {**hashes.made(key)._asdict(), "stays": stays, "since": now}
        await connection.execute(sa.insert(erased), row)
    elif stays:
        which = erased.c.hash.in_(hashes.each(key))
        await connection.execute(sa.update(erased).where(which).values(stays=True))
    return known or now
