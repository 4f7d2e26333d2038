"""What came back: each event once, and how many came to what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("dead_addresses", sa.Column("called_by", sa.String(20), nullable=False, server_default="relay"))
    op.create_table(
        "inbound_events",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("event_id", _EXACT, nullable=False),
        sa.Column("once", _EXACT),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("subscriber_key", sa.BigInteger),
        sa.Column("delivery_key", sa.BigInteger),
        sa.Column("found_by", sa.String(20), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_inbound_events"),
        sa.UniqueConstraint("event_id", name="uq_inbound_events_event_id"),
        sa.UniqueConstraint("once", name="uq_inbound_events_once"),
    )
    op.create_index("ix_inbound_events_subscriber_key", "inbound_events", ["subscriber_key"])
    op.create_index("ix_inbound_events_at", "inbound_events", ["at"])
    op.create_index("ix_inbound_events_delivery_key", "inbound_events", ["delivery_key"])
    op.create_table(
        "inbound_counts",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("source", _EXACT, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "source", "outcome", name="pk_inbound_counts"),
    )
