"""The index of deliveries by their states leaves out what is queued.

Each delivery begins as queued, and most stay so until they are sent. What is queued is found in the index of what
is ready, and among what workers hold. So planning an issue and delivering it write an entry less for each.

The index is built anew. Meanwhile nobody can write deliveries; everybody can read them. For a million deliveries
it took PostgreSQL 5 seconds and SQLite 10, where nobody can write anything, on a machine with much else to do. An
upgrade that is stopped leaves everything as it was, and can be started again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_NAME, _COLUMNS = "ix_deliveries_issue_key_state_key", ["issue_key", "state", "key"]


def upgrade() -> None:
    is_not_queued = sa.text("state <> 'queued'")
    if op.get_bind().dialect.name != "postgresql":
        op.drop_index(_NAME, "deliveries")
        op.create_index(_NAME, "deliveries", _COLUMNS, sqlite_where=is_not_queued)
        return
    # To drop an index keeps readers out until the transaction ends, so this comes last. The setting is as of 0033.
    new, setting = f"{_NAME}_new", {"deduplicate_items": "off"}
    op.create_index(new, "deliveries", _COLUMNS, postgresql_where=is_not_queued, postgresql_with=setting)
    op.drop_index(_NAME, "deliveries")
    op.execute(f"ALTER INDEX {new} RENAME TO {_NAME}")
