"""Notices to webhooks and channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("id", _EXACT, nullable=False),
        sa.Column("receiver", _EXACT, nullable=False),
        sa.Column("kind", _EXACT, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("issue_key", sa.BigInteger),
        sa.Column("subscriber_key", sa.BigInteger),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("ready_at", _MOMENT),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("receiver", "id", name="uq_notices_receiver_id"),
        sa.UniqueConstraint("receiver", "kind", "issue_key", name="uq_notices_receiver_kind_issue_key"),
    )
    for columns in (["at"], ["issue_key"], ["subscriber_key"], ["receiver", "ready_at"]):
        op.create_index(f"ix_notices_{'_'.join(columns)}", "notices", columns)
