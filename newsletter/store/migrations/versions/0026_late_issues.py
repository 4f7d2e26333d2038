"""Issues of which some deliveries were withdrawn as too late: their readers missed them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("issues", sa.Column("was_late", sa.Boolean))
