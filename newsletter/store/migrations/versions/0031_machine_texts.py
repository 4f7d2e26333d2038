"""What models wrote of papers, and what that used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "machine_texts",
        sa.Column("listing_key", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("language", _EXACT, nullable=False),
        sa.Column("prompt", _EXACT, nullable=False),
        sa.Column("model", _EXACT, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("refusal", sa.Text, nullable=False),
        sa.Column("tokens_in", sa.BigInteger, nullable=False),
        sa.Column("tokens_out", sa.BigInteger, nullable=False),
        sa.Column("reserved_until", _MOMENT),
        sa.Column("made_at", _MOMENT),
        sa.PrimaryKeyConstraint("listing_key", "kind", "language", "prompt", "model", name="pk_machine_texts"),
        sa.ForeignKeyConstraint(["listing_key"], ["listings.key"], name="fk_machine_texts_listing_key_listings"),
    )
    op.create_table(
        "model_usage",
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("model", _EXACT, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("refused", sa.BigInteger, nullable=False),
        sa.Column("tokens_in", sa.BigInteger, nullable=False),
        sa.Column("tokens_out", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day", "model", name="pk_model_usage"),
    )
