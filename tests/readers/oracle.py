"""What a sync should come to, subscriber by subscriber, for tests that compare the database's work with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from newsletter.core.subscriber import Origin, Subscriber, SubscriberStatus, SyncCounts


def planned(known: Iterable[Subscriber], wanted: Iterable[Subscriber]) -> tuple[SyncCounts, dict[str, Subscriber]]:
    """Return the counts of a sync, and all subscribers after it by address.

    Args:
        known: the subscribers of a list.
        wanted: whom its files name.
    """
    after = {one.address_key: one for one in known}
    file = {one.address_key: one for one in wanted}
    added = changed = removed = 0
    for key, one in file.items():
        old = after.get(key)
        if old is None:
            after[key] = one
            added += 1
        elif old.origin is Origin.FILE:
            is_gone = old.status is SubscriberStatus.UNSUBSCRIBED
            after[key] = replace(one, status=old.status if is_gone else SubscriberStatus.ACTIVE)
            changed += after[key] != old
    for key, one in after.items():
        if key not in file and one.origin is Origin.FILE and one.status is SubscriberStatus.ACTIVE:
            after[key] = replace(one, status=SubscriberStatus.REMOVED)
            removed += 1
    counts = SyncCounts(added=added, changed=changed, removed=removed, unchanged=len(file) - added - changed)
    return counts, after
