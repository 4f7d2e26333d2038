"""What readers choose by themselves: days, a pause, a language; and since when their wishes are their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    for name in ("days", "language", "paused_until"):
        op.add_column("subscribers", sa.Column(name, sa.Text))
    op.add_column("subscribers", sa.Column("own_wishes_since", _MOMENT))
