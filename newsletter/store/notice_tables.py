"""The table of notices to webhooks and channels; see `newsletter.store.tables`."""

from __future__ import annotations

import sqlalchemy as sa

from newsletter.core.notices import NoticeState
from newsletter.store.column_types import Exact, Key, Moment, one_of
from newsletter.store.tables import metadata

# A row for each receiver of each event or post (`core.notices.Notice`). No foreign keys: readers are erased, and
# with them what was told of them.
notices = sa.Table(
    "notices",
    metadata,
    sa.Column("key", Key, primary_key=True),
    sa.Column("id", Exact, nullable=False),
    sa.Column("receiver", Exact, nullable=False),
    sa.Column("kind", Exact, nullable=False),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),  # JSON
    sa.Column("issue_key", sa.BigInteger, index=True),
    sa.Column("subscriber_key", sa.BigInteger, index=True),
    sa.Column("state", one_of(NoticeState), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("ready_at", Moment),  # when it may be claimed; NULL: never, or not yet
    sa.Column("reason", sa.Text, nullable=False),  # why the last try failed
    sa.UniqueConstraint("receiver", "id"),
    sa.UniqueConstraint("receiver", "kind", "issue_key"),  # of events without an issue there are many
    sa.Index(None, "receiver", "ready_at"),
)
