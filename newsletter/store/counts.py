"""How many deliveries of issues stand in each state: few of them are counted, however many there are."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.core.delivery import DeliveryState
from newsletter.store.tables import deliveries, issues

# Nearly all deliveries of an issue end here. Their number is what is left of the issue's `delivery_count`.
_DERIVED = DeliveryState.SENT
_COUNTED = tuple(state for state in DeliveryState if state is not _DERIVED)


def deliveries_in(state: DeliveryState) -> sa.Label[int]:
    """Return the column, for a SELECT from `issues`, that counts an issue's deliveries in a state."""
    # A look into a range of the index for each issue; a join might be planned as a scan of all deliveries.
    return (
        sa.select(sa.func.count())
        .select_from(deliveries)
        .where(deliveries.c.issue_key == issues.c.key, deliveries.c.state == state)
        .scalar_subquery()
        .label(state.value)
    )


async def state_counts(connection: AsyncConnection, keys: Sequence[int]) -> dict[int, dict[DeliveryState, int]]:
    """Return how many deliveries of each issue stand in each state; every state is there.

    Args:
        connection: in a transaction that sees one unchanging state of the database.
        keys: of the issues.
    """
    counts = {key: dict.fromkeys(DeliveryState, 0) for key in keys}
    columns = map(deliveries_in, _COUNTED)
    query = sa.select(issues.c.key, issues.c.delivery_count, *columns).where(issues.c.key.in_(keys))
    unknown = []
    for key, total, *counted in await connection.execute(query):
        counts[key].update(zip(_COUNTED, counted, strict=True))
        if total is None:
            unknown.append(key)
        else:
            counts[key][_DERIVED] = total - sum(counted)
    if unknown:  # they are being closed
        query = sa.select(issues.c.key, deliveries_in(_DERIVED)).where(issues.c.key.in_(unknown))
        for key, number in await connection.execute(query):
            counts[key][_DERIVED] = number
    return counts
