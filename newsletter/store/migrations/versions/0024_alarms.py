"""Alarms that are told once over all machines, and beats of processes at work."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alarms",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("id", _EXACT, nullable=False),
        sa.Column("cause", sa.String(20), nullable=False),
        sa.Column("subject", _EXACT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("day", sa.Date),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("over_at", _MOMENT),
    )
    op.create_index("ix_alarms_over_at", "alarms", ["over_at"])
    op.create_table(
        "beats",
        sa.Column("work", _EXACT, primary_key=True),
        sa.Column("process", _EXACT, primary_key=True),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("fresh_until", _MOMENT, nullable=False),
    )
