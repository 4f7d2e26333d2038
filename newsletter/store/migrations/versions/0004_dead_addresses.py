"""Addresses that relays call dead, and the ledger's own identity."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "dead_addresses",
        sa.Column("address_key", _EXACT, nullable=False),
        sa.Column("domain", _EXACT, nullable=False),
        sa.Column("issue_key", sa.BigInteger, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["issue_key"], ["issues.key"], name="fk_dead_addresses_issue_key_issues"),
        sa.PrimaryKeyConstraint("address_key", name="pk_dead_addresses"),
    )
    op.create_index("ix_dead_addresses_domain", "dead_addresses", ["domain"])
    ledger = op.create_table(
        "ledger",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("mark", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
    )
    op.bulk_insert(ledger, [{"id": secrets.token_hex(16), "mark": 0}])
