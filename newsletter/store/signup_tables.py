"""The tables of sign-ups on the web, beside those of `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.core.newsletter_list import Cadence
from newsletter.core.signup import SignUpState
from newsletter.store.column_types import Exact, Key, Moment, one_of
from newsletter.store.tables import metadata

# Who asked on the web for a list, until they have confirmed it or time is over (`core.signup.SignUp`).
signups = sa.Table(
    "signups",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("list", Exact, nullable=False),
    sa.Column("address_key", Exact, nullable=False, index=True),
    sa.Column("domain", Exact, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("topics", sa.Text, nullable=False),  # a JSON array
    sa.Column("cadence", one_of(Cadence)),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("state", one_of(SignUpState), nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("mailed_at", Moment),
    sa.Column("reminded_at", Moment),
    sa.Column("confirmed_at", Moment),
    sa.Column("wants_latest", sa.Boolean, nullable=False),
    sa.Column("ready_at", Moment),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.UniqueConstraint("list", "address_key"),
    sa.Index(None, "asked_at"),
    sa.Index(None, "ready_at"),
    sqlite_autoincrement=True,  # links in mails hold on to the number
)

# Each mail of the last week that asked somebody to confirm: what the ceilings count.
signup_mails = sa.Table(
    "signup_mails",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("signup_key", sa.BigInteger, nullable=False, index=True),
    sa.Column("address_key", Exact, nullable=False, index=True),
    sa.Column("domain", Exact, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
)

# How many signed up for a list, by the day (in UTC) on which it happened.
signup_counts = sa.Table(
    "signup_counts",
    metadata,
    sa.Column("list", Exact, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("mailed", sa.Integer, nullable=False),
    sa.Column("confirmed", sa.Integer, nullable=False),
)
