"""Real stores with an issue to deliver."""

from __future__ import annotations

from datetime import timedelta

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.delivery import Planned
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Store
from tests.delivery.fakes import NOW, reader
from tests.factories import DAY, draft
from tests.store import samples


async def join(store: Store, readers: int) -> None:
    """Let so many readers join the list."""
    added = tuple(Subscriber(list="daily", email=reader(number)) for number in range(1, readers + 1))
    await samples.join(store, *added, now=NOW)


async def freeze(store: Store, number: int = 1) -> int:
    """Freeze an issue for the readers of the list, all of them due; return its key.

    What each of them is to get differs.
    """

    def plan(subscriber: Subscriber, _had: frozenset[int]) -> Planned:
        choice = Choice((), ((Reason(ReasonKind.TOPIC, subscriber.email),),))
        return Planned(due_at=NOW - timedelta(minutes=5), choice=choice, subject="Daily Papers")

    one = draft((), number=number, day=DAY + timedelta(days=number))
    issue, _ = await store.issues.freeze(one, "Daily Papers", plan, now=NOW)
    return issue.key


async def freeze_for(store: Store, readers: int, *, number: int = 1) -> int:
    """Freeze an issue for so many readers, all of them due; return its key."""
    await join(store, readers)
    return await freeze(store, number)
