"""Who asked on the web for a list, the mails that this caused, and how many they were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_MOMENT = sa.DateTime(timezone=True).with_variant(sa.Text(), "sqlite")
_EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_signups()
    _create_mails()
    _create_counts()


def _create_signups() -> None:
    op.create_table(
        "signups",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("list", _EXACT, nullable=False),
        sa.Column("address_key", _EXACT, nullable=False),
        sa.Column("domain", _EXACT, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("cadence", sa.String(20)),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("mailed_at", _MOMENT),
        sa.Column("reminded_at", _MOMENT),
        sa.Column("confirmed_at", _MOMENT),
        sa.Column("wants_latest", sa.Boolean, nullable=False),
        sa.Column("ready_at", _MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_signups"),
        sa.UniqueConstraint("list", "address_key", name="uq_signups_list_address_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signups_address_key", "signups", ["address_key"])
    op.create_index("ix_signups_asked_at", "signups", ["asked_at"])
    op.create_index("ix_signups_ready_at", "signups", ["ready_at"])


def _create_mails() -> None:
    op.create_table(
        "signup_mails",
        sa.Column("key", _KEY, nullable=False),
        sa.Column("signup_key", sa.BigInteger, nullable=False),
        sa.Column("address_key", _EXACT, nullable=False),
        sa.Column("domain", _EXACT, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_signup_mails"),
    )
    for column in ("signup_key", "address_key", "at"):
        op.create_index(f"ix_signup_mails_{column}", "signup_mails", [column])


def _create_counts() -> None:
    op.create_table(
        "signup_counts",
        sa.Column("list", _EXACT, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("mailed", sa.Integer, nullable=False),
        sa.Column("confirmed", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("list", "day", name="pk_signup_counts"),
    )
