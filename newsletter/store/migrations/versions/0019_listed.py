"""When pages were last read is found at once: what the public pages show depends on it."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_index("ix_readings_read_at", "readings", ["read_at"])
