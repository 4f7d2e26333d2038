"""List files that wait for the operator's word; who signed up by themselves came by the web."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "held_files",
        sa.Column("list", _EXACT, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("stamp", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("examples", sa.Text, nullable=False),
        sa.Column("removed", sa.Integer, nullable=False),
        sa.Column("present", sa.Integer, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("list", name="pk_held_files"),
    )
    op.execute("UPDATE subscribers SET origin = 'web' WHERE origin = 'signup'")
