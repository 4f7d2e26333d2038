"""How many mails relays were handed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "relay_usage",
        sa.Column("account", _EXACT, nullable=False),
        sa.Column("slot", _MOMENT, nullable=False),
        sa.Column("mails", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("account", "slot", name="pk_relay_usage"),
    )
    op.create_table(
        "warm_ups",
        sa.Column("account", _EXACT, nullable=False),
        sa.Column("begun_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_warm_ups"),
    )
