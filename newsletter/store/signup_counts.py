"""How many sign-ups were asked for, mailed and confirmed on each day, in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from newsletter.store.bulk import insert_on, is_sqlite
from newsletter.store.signup_tables import signup_counts


async def count(connection: AsyncConnection, list_name: str, now: datetime, what: str) -> None:
    """Count one that was asked, mailed or confirmed today."""
    await connection.execute(*counting(connection, list_name, now, what))


def counting(
    connection: AsyncConnection, list_name: str, now: datetime, what: str
) -> tuple[sa.Insert, Mapping[str, Any]]:
    """Return the statement that counts one, with its values."""
    values = {"list": list_name, "day": now.date(), "asked": 0, "mailed": 0, "confirmed": 0}
    return _one_more(what, on_sqlite=is_sqlite(connection)), values | {what: 1}


@lru_cache(maxsize=6)
def _one_more(what: str, *, on_sqlite: bool) -> sa.Insert:
    more = {what: signup_counts.c[what] + 1}
    return insert_on(signup_counts, on_sqlite=on_sqlite).on_conflict_do_update(
        index_elements=["list", "day"], set_=more
    )
