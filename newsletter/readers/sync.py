"""Brings the subscribers of a list into line with its file."""

from __future__ import annotations

from datetime import datetime

from newsletter.core.subscriber import SyncPlan, plan_sync
from newsletter.ports import ListFile, Subscribers


async def sync(subscribers: Subscribers, file: ListFile, *, now: datetime) -> SyncPlan:
    """Add, change and remove subscribers as a list file says; return what that came to.

    Only those that the file itself brought are changed or removed.

    Args:
        subscribers: where subscribers are kept.
        file: a list and the subscribers whom its file names.
        now: aware, UTC.

    Raises:
        StoreError: the store cannot be read or written; nothing was changed.
    """
    plan = plan_sync(await subscribers.of_list(file.list.name), file.subscribers)
    if plan.added or plan.changed or plan.removed:
        await subscribers.apply(file.list.name, plan, now=now)
    return plan
