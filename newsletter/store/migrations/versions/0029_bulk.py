"""Millions of readers: an index by which issues are closed, and quicker writing in PostgreSQL."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"

_UNCHECKED = {
    "deliveries": ("fk_deliveries_issue_key_issues", "fk_deliveries_subscriber_key_subscribers"),
    "delivery_events": ("fk_delivery_events_delivery_key_deliveries",),
}

# Tables that change by the million are vacuumed when a fiftieth of them has changed, not a fifth: until then their
# indexes lead to rows that are gone, and claims go through these.
_VACUUMED = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
_VACUUMED_OFTEN = ("deliveries", "delivery_events", "subscribers")


def upgrade() -> None:
    op.create_index("ix_subscribers_in_order", "subscribers", ["list", "key"])
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, constraints in _UNCHECKED.items():
        for name in constraints:
            op.drop_constraint(name, table, type_="foreignkey")
    for table in _VACUUMED_OFTEN:
        op.execute(f"ALTER TABLE {table} SET ({_VACUUMED})")
