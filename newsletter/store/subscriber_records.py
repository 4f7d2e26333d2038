"""Subscribers as operators see them, in SQL: with why they get no mail, and since when they are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from newsletter.core.subscriber import SubscriberStatus
from newsletter.core.syncing import LEFT, Barred
from newsletter.ports import SubscriberRecord
from newsletter.store.barring import SUPPRESSED_SINCE, SUPPRESSION
from newsletter.store.erased import IS_SOMEBODY
from newsletter.store.subscriber_rows import COLUMNS, subscriber_of
from newsletter.store.tables import subscribers

_OWN = ("key", "created_at", "updated_at", "own_wishes_since")

# Rows for `record_of`, of those who are not erased.
RECORDS = sa.select(*(subscribers.c[name] for name in _OWN), SUPPRESSION, SUPPRESSED_SINCE, *COLUMNS).where(
    IS_SOMEBODY
)


def record_of(row: Sequence[Any]) -> SubscriberRecord:
    """Return the record of a row of `RECORDS`."""
    key, joined_at, changed_at, own_wishes_since, reason, since, *fields = row
    subscriber = subscriber_of(fields)
    barred = None if since is None else Barred(reason, since)
    if barred is None and subscriber.status is SubscriberStatus.UNSUBSCRIBED:
        barred = Barred(LEFT, changed_at)
    return SubscriberRecord(
        key=key,
        subscriber=subscriber,
        joined_at=joined_at,
        changed_at=changed_at,
        barred=barred,
        own_wishes_since=own_wishes_since,
    )
