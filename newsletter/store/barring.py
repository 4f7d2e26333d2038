"""Who is barred from mail, in SQL: by a suppression of the address, or of its whole domain."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.barring import Barring
from newsletter.core.suppression import whole_domain
from newsletter.core.syncing import Barred
from newsletter.store.bulk import among
from newsletter.store.column_types import Moment
from newsletter.store.engine import Database
from newsletter.store.erased import erased_people
from newsletter.store.statements import SUPPRESSION_REASON, SUPPRESSION_SINCE
from newsletter.store.tables import EVERY_LIST, suppressions

# Why a subscriber's address is suppressed on their list, and since when; NULL if it is not. For statements about
# `subscribers`.
SUPPRESSION = sa.literal_column(SUPPRESSION_REASON, sa.Text()).label("suppression_reason")
SUPPRESSED_SINCE = sa.literal_column(SUPPRESSION_SINCE, Moment()).label("suppression_since")


async def barred_among(
    database: Database, connection: AsyncConnection, list_name: str, keys: Sequence[str]
) -> dict[str, Barred]:
    """Return to which of some addresses no mail of a list goes, by their keys, and why."""
    these = among(connection, suppressions.c.address_key, {*keys, *map(whole_domain, keys)})
    suppressed = await suppressed_on(connection, list_name, these)
    barring = Barring(suppressed, await erased_people(connection, database.hashes))
    return {key: barred for key in keys if (barred := barring.of(key))}


async def suppressed_on(
    connection: AsyncConnection, list_name: str, *which: sa.ColumnElement[bool]
) -> dict[str, Barred]:
    """Return what is suppressed on a list, addresses and domains; `which` narrows it to some."""
    query = (
        sa.select(suppressions.c.address_key, suppressions.c.reason, suppressions.c.since)
        .where(*which, suppressions.c.list.in_([list_name, EVERY_LIST]))
        .order_by(suppressions.c.list.desc())  # what is for all lists last: that is told
    )
    return {key: Barred(reason, since) for key, reason, since in await connection.execute(query)}
