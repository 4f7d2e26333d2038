"""The table of how lists grow, beside those of `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.store.column_types import Exact, Moment
from newsletter.store.tables import metadata

# How many readers a list had at the end of a day (UTC), or has by now, and who came and went on it.
reader_counts = sa.Table(
    "reader_counts",
    metadata,
    sa.Column("list", Exact, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("readers", sa.BigInteger, nullable=False),
    sa.Column("joined", sa.BigInteger, nullable=False),
    sa.Column("left", sa.BigInteger, nullable=False),
    sa.Column("counted_at", Moment, nullable=False),
)
