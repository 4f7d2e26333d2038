"""The tables of what came back; see `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.core.bounces import EventKind, FoundBy, Outcome
from newsletter.store.column_types import Exact, Key, Moment, one_of
from newsletter.store.tables import metadata

# What came back, each event once: `event_id` tells it from others; `once` is a token that no other may use.
inbound_events = sa.Table(
    "inbound_events",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("event_id", Exact, nullable=False, unique=True),
    sa.Column("once", Exact, unique=True),
    sa.Column("kind", one_of(EventKind), nullable=False),
    # Whose it is, where that is known. No foreign keys: readers are erased, and with them what is known of them.
    sa.Column("subscriber_key", sa.BigInteger, index=True),
    sa.Column("delivery_key", sa.BigInteger, index=True),
    sa.Column("found_by", one_of(FoundBy), nullable=False),
    sa.Column("outcome", one_of(Outcome), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
)

# How many events came to what, by day (UTC) and source.
inbound_counts = sa.Table(
    "inbound_counts",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("source", Exact, primary_key=True),
    sa.Column("outcome", one_of(Outcome), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
