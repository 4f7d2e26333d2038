"""Several machines: copying a ledger into another database, counts that hold everywhere, the key of links."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "ledger_copies",
        sa.Column("token", sa.Text, nullable=False),
        sa.Column("side", sa.String(20), nullable=False),
        sa.Column("other", sa.Text, nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("is_done", sa.Boolean, nullable=False),
        sa.Column("begun_at", _MOMENT, nullable=False),
        sa.Column("done_at", _MOMENT),
        sa.PrimaryKeyConstraint("token", name="pk_ledger_copies"),
    )
    op.create_table(
        "copied_tables",
        sa.Column("name", _EXACT, nullable=False),
        sa.Column("last_key", sa.Text, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("is_checked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_copied_tables"),
    )
    op.create_table(
        "shared_counts",
        sa.Column("name", _EXACT, nullable=False),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_shared_counts"),
    )
    op.create_index("ix_shared_counts_until", "shared_counts", ["until"])
    op.add_column("ledger", sa.Column("key_id", sa.Text))
