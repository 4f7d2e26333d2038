"""The tables of readers who left or move to another address, beside those of `newsletter.store.tables`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from newsletter.core.subscriber import SubscriberStatus
from newsletter.store.column_types import Exact, Key, Moment, one_of
from newsletter.store.tables import metadata


def _of_subscriber(**options: Any) -> sa.Column[int]:
    return sa.Column("subscriber_key", sa.BigInteger, sa.ForeignKey("subscribers.key"), nullable=False, **options)


# That readers left, each once, so that they may take it back. It goes when its subscriber goes.
leavings = sa.Table(
    "leavings",
    metadata,
    sa.Column("key", Key, primary_key=True),
    _of_subscriber(unique=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("was", one_of(SubscriberStatus), nullable=False),
    sa.Column("is_told", sa.Boolean, nullable=False),  # whether the reader knows; who left by mail is to be told
    sqlite_autoincrement=True,  # links hold on to the number
)

# New addresses that readers asked for. Only the newest of a reader is open, until it is confirmed; then the former
# address is kept until it was told. They go when their subscriber goes.
address_changes = sa.Table(
    "address_changes",
    metadata,
    sa.Column("key", Key, primary_key=True),
    _of_subscriber(index=True),
    sa.Column("address_key", Exact, nullable=False, index=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("mailed_at", Moment),
    sa.Column("is_open", sa.Boolean, nullable=False),
    sa.Column("former_email", sa.Text),
    sa.Column("told_at", Moment),
    sqlite_autoincrement=True,  # links hold on to the number
)
