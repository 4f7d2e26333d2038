"""Who is barred from mail, in SQL: by a suppression of the address, or of its whole domain."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.suppression import whole_domain
from newsletter.core.syncing import Barred
from newsletter.store.bulk import among
from newsletter.store.column_types import Moment
from newsletter.store.statements import SUPPRESSION_REASON, SUPPRESSION_SINCE
from newsletter.store.tables import EVERY_LIST, suppressions

# Why a subscriber's address is suppressed on their list, and since when; NULL if it is not. For statements about
# `subscribers`.
SUPPRESSION = sa.literal_column(SUPPRESSION_REASON, sa.Text()).label("suppression_reason")
SUPPRESSED_SINCE = sa.literal_column(SUPPRESSION_SINCE, Moment()).label("suppression_since")

# How a domain's suppression is told of one of its addresses; as `SUPPRESSION` has it, too.
OF_DOMAIN = "{domain}: {reason}"


async def barred_among(connection: AsyncConnection, list_name: str, keys: Sequence[str]) -> dict[str, Barred]:
    """Return to which of some addresses no mail of a list goes, by their keys, and why."""
    looked_up = among(connection, suppressions.c.address_key, {*keys, *map(whole_domain, keys)})
    query = (
        sa.select(suppressions.c.address_key, suppressions.c.reason, suppressions.c.since)
        .where(looked_up, suppressions.c.list.in_([list_name, EVERY_LIST]))
        .order_by(suppressions.c.list.desc())  # the one for all lists last, so that it is the one that is told
    )
    found = {key: Barred(reason, since) for key, reason, since in await connection.execute(query)}
    barred = {}
    for key in keys:
        if key in found:
            barred[key] = found[key]
        elif (domain := whole_domain(key)) in found:
            reason, since = found[domain]
            barred[key] = Barred(OF_DOMAIN.format(domain=domain, reason=reason), since)
    return barred
