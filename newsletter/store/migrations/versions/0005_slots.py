"""What became of a list's slots, beyond its issues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "slots",
        sa.Column("list", _EXACT, nullable=False),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("in_vain_on", sa.Date),
        sa.PrimaryKeyConstraint("list", name="pk_slots"),
    )
