"""Real stores with an issue to deliver."""

from __future__ import annotations

from datetime import timedelta

from newsletter.core.delivery import Planned
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Store
from tests.delivery.fakes import NOW, reader
from tests.factories import DAY, draft
from tests.store.samples import join


async def freeze(store: Store, readers: int, *, number: int = 1) -> int:
    """Freeze an issue for so many readers, all of them due; return its key."""
    added = tuple(Subscriber(list="daily", email=reader(number)) for number in range(1, readers + 1))
    await join(store, *added, now=NOW)
    due = Planned(due_at=NOW - timedelta(minutes=5))
    issue, _ = await store.issues.freeze(
        draft((), number=number, day=DAY + timedelta(days=number)), "Daily Papers", lambda _, _had: due, now=NOW
    )
    return issue.key
