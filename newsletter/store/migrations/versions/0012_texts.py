"""What readers want to read of papers: the summary, or the abstract."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("subscribers", sa.Column("text", sa.String(20), nullable=False, server_default="summary"))
