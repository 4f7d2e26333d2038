"""What a sync should come to, subscriber by subscriber, for tests that compare the database's work with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus
from newsletter.core.syncing import SyncCounts


def planned(known: Iterable[Subscriber], wanted: Iterable[Subscriber]) -> tuple[SyncCounts, dict[str, Subscriber]]:
    """Return the counts of a sync, and all subscribers after it by address.

    Args:
        known: the subscribers of a list.
        wanted: whom its files name.
    """
    after = {one.address_key: one for one in known}
    file = {one.address_key: one for one in wanted}
    added = changed = reactivated = removed = 0
    present = sum(one.origin is Origin.FILE and one.status is SubscriberStatus.ACTIVE for one in after.values())
    for key, one in file.items():
        old = after.get(key)
        if old is None:
            after[key] = one
            added += 1
        elif old.origin is Origin.FILE and old.status is SubscriberStatus.REMOVED:
            after[key] = one
            reactivated += 1
        elif old.origin is Origin.FILE and old.status is SubscriberStatus.ACTIVE:
            after[key] = one
            changed += one != old
    for key, one in after.items():
        if key not in file and one.origin is Origin.FILE and one.status is SubscriberStatus.ACTIVE:
            after[key] = replace(one, status=SubscriberStatus.REMOVED)
            removed += 1
    counts = SyncCounts(
        added=added,
        changed=changed,
        reactivated=reactivated,
        removed=removed,
        unchanged=len(file) - added - changed - reactivated,
        present=present if removed else 0,
    )
    return counts, after
