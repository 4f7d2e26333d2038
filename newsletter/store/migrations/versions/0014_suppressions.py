"""Suppressions say by whom and with what evidence; hashes of addresses whose data was erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("suppressions", sa.Column("evidence", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("suppressions", sa.Column("made_by", sa.String(20), nullable=False, server_default="operator"))
    # What former versions wrote as reasons. Of any other, only the operator may have been the author.
    op.execute("UPDATE suppressions SET made_by = 'reader' WHERE reason = 'unsubscribed'")
    op.execute("UPDATE suppressions SET made_by = 'import' WHERE reason IN ('bounced', 'complained')")
    op.execute("UPDATE suppressions SET made_by = 'relay' WHERE reason LIKE '5__ _%'")
    op.create_table(
        "erased",
        sa.Column("hash", _EXACT, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("stays", sa.Boolean, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_erased"),
    )
