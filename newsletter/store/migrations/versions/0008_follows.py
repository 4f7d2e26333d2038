"""Whom and what readers follow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("subscribers", sa.Column("follows", sa.Text, nullable=False, server_default="[]"))
