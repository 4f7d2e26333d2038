"""Two indexes of deliveries take new entries sooner on PostgreSQL.

No two of their entries are equal, as each ends with the key of its delivery. Before it split a page, PostgreSQL
looked for equal ones all the same. The setting counts for entries to come: to change it takes no time, however
large the table is, and nobody who reads or writes the table waits for it.
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"

_INDEXES = ("ix_deliveries_issue_key_state_key", "ix_deliveries_issue_key_ready_at_key")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for name in _INDEXES:
        op.execute(f"ALTER INDEX {name} SET (deduplicate_items = off)")
