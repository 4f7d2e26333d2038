"""What workers have done and the rows of deliveries don't say yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "worker_notes",
        sa.Column("worker", _EXACT, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("worker", "number", name="pk_worker_notes"),
    )
