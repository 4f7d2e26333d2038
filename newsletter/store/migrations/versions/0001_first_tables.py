"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key() -> sa.Column[int]:
    return sa.Column("key", _KEY, primary_key=True)


def _reference(name: str, table: str, to: str, **options: Any) -> sa.Column[int]:
    foreign_key = sa.ForeignKey(f"{to}.key", name=f"fk_{table}_{name}_{to}")
    return sa.Column(name, sa.BigInteger, foreign_key, nullable=False, **options)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    _listings()
    _sightings()
    _issues()
    _subscribers()
    _deliveries()


def _listings() -> None:
    op.create_table(
        "listings",
        _key(),
        _text("record"),
        sa.Column("first_seen_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_listings"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "listing_ids",
        sa.Column("identity", _EXACT, nullable=False),
        _reference("listing_key", "listing_ids", "listings"),
        sa.PrimaryKeyConstraint("identity", "listing_key", name="pk_listing_ids"),
    )
    op.create_index("ix_listing_ids_listing_key", "listing_ids", ["listing_key"])


def _sightings() -> None:
    op.create_table(
        "sightings",
        _key(),
        _reference("listing_key", "sightings", "listings"),
        _text("source"),
        sa.Column("listed_on", sa.Date, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("upvotes", sa.Integer),
        sa.Column("comments", sa.Integer),
        sa.Column("stars", sa.Integer),
        sa.PrimaryKeyConstraint("key", name="pk_sightings"),
    )
    op.create_index("ix_sightings_listing_key", "sightings", ["listing_key"])
    op.create_index(
        "ix_sightings_source_listed_on_listing_key", "sightings", ["source", "listed_on", "listing_key"]
    )
    op.create_table(
        "readings",
        _text("source"),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("attempted_at", _MOMENT),
        sa.Column("read_at", _MOMENT),
        sa.Column("listings", sa.Integer),
        sa.Column("settled", sa.Boolean, nullable=False),
        _text("error"),
        sa.PrimaryKeyConstraint("source", "day", name="pk_readings"),
    )


def _issues() -> None:
    op.create_table(
        "issues",
        _key(),
        _text("list"),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        _text("subject"),
        sa.Column("frozen_at", _MOMENT, nullable=False),
        _text("masthead"),
        sa.Column("candidates", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_issues"),
        sa.UniqueConstraint("list", "day", name="uq_issues_list_day"),
        sa.UniqueConstraint("list", "number", name="uq_issues_list_number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "issue_listings",
        _reference("issue_key", "issue_listings", "issues"),
        sa.Column("rank", sa.Integer, nullable=False),
        _reference("listing_key", "issue_listings", "listings"),
        _text("record"),
        sa.PrimaryKeyConstraint("issue_key", "rank", name="pk_issue_listings"),
    )
    op.create_index("ix_issue_listings_listing_key", "issue_listings", ["listing_key"])


def _subscribers() -> None:
    op.create_table(
        "subscribers",
        _key(),
        _text("list"),
        sa.Column("address_key", _EXACT, nullable=False),
        _text("email"),
        _text("name"),
        _text("topics"),
        sa.Column("cadence", sa.String(20)),
        sa.Column("hour", sa.Text),
        sa.Column("timezone", sa.Text),
        sa.Column("topics_mode", sa.String(20)),
        _text("interest"),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("origin", sa.String(20), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_subscribers"),
        sa.UniqueConstraint("list", "address_key", name="uq_subscribers_list_address_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscribers_address_key", "subscribers", ["address_key"])
    op.create_index("ix_subscribers_list_cadence", "subscribers", ["list", "cadence"])
    op.create_table(
        "suppressions",
        sa.Column("address_key", _EXACT, nullable=False),
        _text("list"),
        _text("reason"),
        sa.Column("since", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("address_key", "list", name="pk_suppressions"),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _key(),
        _reference("issue_key", "deliveries", "issues"),
        _reference("subscriber_key", "deliveries", "subscribers"),
        _text("email"),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("ready_at", _MOMENT),
        sa.Column("next_attempt_at", _MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        _text("relay"),
        sa.Column("code", sa.Integer),
        _text("text"),
        _text("reason"),
        sa.Column("claimed_by", sa.Text),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_deliveries"),
        sa.UniqueConstraint("subscriber_key", "issue_key", name="uq_deliveries_subscriber_key_issue_key"),
    )
    op.create_index("ix_deliveries_issue_key_state", "deliveries", ["issue_key", "state"])
    _partial_index("deliveries", ["issue_key", "ready_at", "key"], "ready_at IS NOT NULL")
    _partial_index("deliveries", ["ready_at", "key"], "ready_at IS NOT NULL")
    _partial_index("deliveries", ["claimed_by"], "claimed_by IS NOT NULL")
    op.create_table(
        "delivery_events",
        _key(),
        _reference("delivery_key", "delivery_events", "deliveries"),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        _text("relay"),
        sa.Column("code", sa.Integer),
        _text("text"),
        _text("reason"),
        sa.PrimaryKeyConstraint("key", name="pk_delivery_events"),
    )
    op.create_index("ix_delivery_events_delivery_key", "delivery_events", ["delivery_key"])


def _partial_index(table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        f"ix_{table}_{'_'.join(columns)}",
        table,
        columns,
        sqlite_where=condition,
        postgresql_where=condition,
    )
