"""The tables of alarms and beats; see `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.core.alarms import Cause
from newsletter.store.column_types import Exact, Key, Moment, one_of
from newsletter.store.tables import metadata

# A row for each time that there was trouble (`core.alarms.Alarm`).
alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", Exact, nullable=False),
    sa.Column("cause", one_of(Cause), nullable=False),
    sa.Column("subject", Exact, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("day", sa.Date),
    sa.Column("since", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("over_at", Moment, index=True),  # NULL: it lasts
)

# When each process last showed that it does its work (`ports.Beats`).
beats = sa.Table(
    "beats",
    metadata,
    sa.Column("work", Exact, primary_key=True),
    sa.Column("process", Exact, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("fresh_until", Moment, nullable=False),
)
