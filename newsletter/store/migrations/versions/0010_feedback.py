"""What readers say of papers, and the keys of merged listings, which mails that are sent still name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("subscriber_key", sa.BigInteger, nullable=False),
        sa.Column("listing_key", sa.BigInteger, nullable=False),
        sa.Column("liked", sa.Boolean, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["subscriber_key"], ["subscribers.key"], name="fk_feedback_subscriber_key_subscribers"
        ),
        sa.ForeignKeyConstraint(["listing_key"], ["listings.key"], name="fk_feedback_listing_key_listings"),
        sa.PrimaryKeyConstraint("subscriber_key", "listing_key", name="pk_feedback"),
    )
    op.create_index("ix_feedback_listing_key", "feedback", ["listing_key"])
    op.create_table(
        "merged_listings",
        sa.Column("former_key", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("listing_key", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["listing_key"], ["listings.key"], name="fk_merged_listings_listing_key_listings"),
        sa.PrimaryKeyConstraint("former_key", name="pk_merged_listings"),
    )
    op.create_index("ix_merged_listings_listing_key", "merged_listings", ["listing_key"])
