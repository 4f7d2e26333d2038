"""The tables of what came back; see `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.core.bounces import EventKind, FoundBy, Outcome
from newsletter.store.tables import _Exact, _Key, _moment, _one_of, _text, metadata

# What came back, each event once: `event_id` tells it from others; `once` is a token that no other may use.
inbound_events = sa.Table(
    "inbound_events",
    metadata,
    sa.Column("key", _Key, primary_key=True),
    sa.Column("event_id", _Exact, nullable=False, unique=True),
    sa.Column("once", _Exact, unique=True),
    sa.Column("kind", _one_of(EventKind), nullable=False),
    # Whose it is, where that is known. No foreign keys: readers are erased, and with them what is known of them.
    sa.Column("subscriber_key", sa.BigInteger, index=True),
    sa.Column("delivery_key", sa.BigInteger, index=True),
    sa.Column("found_by", _one_of(FoundBy), nullable=False),
    sa.Column("outcome", _one_of(Outcome), nullable=False),
    _text("status"),
    _text("text"),
    _moment("at"),
)

# How many events came to what, by day (UTC) and source.
inbound_counts = sa.Table(
    "inbound_counts",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("source", _Exact, primary_key=True),
    sa.Column("outcome", _one_of(Outcome), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)
