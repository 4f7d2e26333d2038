"""Backups: when one was made, what counts as sent after one was restored, what was removed as it is old."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    for name in ("copied_at", "assumed_until", "backed_up_at", "tidied_at"):
        op.add_column("ledger", sa.Column(name, _MOMENT))
    op.add_column("ledger", sa.Column("backed_up_to", sa.Text))
    for name in ("is_tidied", "is_forgotten"):
        op.add_column("issues", sa.Column(name, sa.Boolean))
