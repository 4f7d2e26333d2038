"""How far the rates of relays and domains are given away. What was kept of them before says less."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rates",
        sa.Column("scope", _EXACT, nullable=False),
        sa.Column("free_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_rates"),
    )
    op.execute("DELETE FROM hindrances WHERE kind = 'pace'")
