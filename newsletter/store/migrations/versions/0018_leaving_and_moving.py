"""Leavings, which readers may undo, and changes of address that wait for a confirmation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "leavings",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("subscriber_key", sa.BigInteger, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("was", sa.String(20), nullable=False),
        sa.Column("is_told", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_key"], ["subscribers.key"], name="fk_leavings_subscriber_key_subscribers"
        ),
        sa.UniqueConstraint("subscriber_key", name="uq_leavings_subscriber_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "address_changes",
        sa.Column("key", _KEY, primary_key=True),
        sa.Column("subscriber_key", sa.BigInteger, nullable=False),
        sa.Column("address_key", _EXACT, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("mailed_at", _MOMENT),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("former_email", sa.Text),
        sa.Column("told_at", _MOMENT),
        sa.ForeignKeyConstraint(
            ["subscriber_key"], ["subscribers.key"], name="fk_address_changes_subscriber_key_subscribers"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_address_changes_subscriber_key", "address_changes", ["subscriber_key"])
    op.create_index("ix_address_changes_address_key", "address_changes", ["address_key"])
