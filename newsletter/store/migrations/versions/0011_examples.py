"""Papers that readers give as examples, the files that name them, and what arXiv says of such papers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_HAS_EXAMPLES = sa.text("examples != '[]'")


def upgrade() -> None:
    op.add_column("subscribers", sa.Column("examples", sa.Text, nullable=False, server_default="[]"))
    op.add_column("list_files", sa.Column("examples", sa.Text, nullable=False, server_default="{}"))
    op.create_index(
        "ix_subscribers_list_key",
        "subscribers",
        ["list", "key"],
        sqlite_where=_HAS_EXAMPLES,
        postgresql_where=_HAS_EXAMPLES,
    )
    op.create_table(
        "looked_up_papers",
        sa.Column("arxiv_id", _EXACT, nullable=False),
        sa.Column("record", sa.Text),
        sa.Column("looked_up_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("arxiv_id", name="pk_looked_up_papers"),
    )
