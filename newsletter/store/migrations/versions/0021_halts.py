"""Issues that the operator has paused or cancelled; how many readers lists had, day by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("issues", sa.Column("halt", sa.String(20)))
    op.add_column("issues", sa.Column("halted_at", _MOMENT))
    op.add_column("issues", sa.Column("paused_seconds", sa.BigInteger))
    op.create_table(
        "reader_counts",
        sa.Column("list", _EXACT, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("readers", sa.BigInteger, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.Column("left", sa.BigInteger, nullable=False),
        sa.Column("counted_at", _MOMENT, nullable=False),
    )
