"""What makes a million readers cheap: closing in pieces, counts that are kept, list files that are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("issues", sa.Column("closing_by", sa.Text))
    op.add_column("issues", sa.Column("delivery_count", sa.Integer))
    op.execute(
        "UPDATE issues SET delivery_count = "
        "(SELECT COUNT(*) FROM deliveries WHERE deliveries.issue_key = issues.key)"
    )
    # Deliveries are claimed issue by issue, for which there is another index.
    op.drop_index("ix_deliveries_ready_at_key", "deliveries")
    op.create_table(
        "list_files",
        sa.Column("list", _EXACT, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("synced_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("list", name="pk_list_files"),
    )
    # By it, an issue's deliveries in a state are read some at a time, in the order of their keys.
    op.create_index("ix_deliveries_issue_key_state_key", "deliveries", ["issue_key", "state", "key"])
    op.drop_index("ix_deliveries_issue_key_state", "deliveries")
