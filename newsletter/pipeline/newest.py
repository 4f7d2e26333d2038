"""The newest issue of a list, for a reader who joins later and asks for it."""

from __future__ import annotations

from datetime import datetime

from newsletter.core.calendar import planner, slot_on
from newsletter.core.choosing import chooser
from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.pipeline.publish import subjects
from newsletter.ports import Renderer, Store


async def give_newest(
    store: Store, renderer: Renderer, list_: NewsletterList, subscriber_key: int, *, now: datetime
) -> bool:
    """Have the newest issue of a list delivered to a subscriber who has none of it, as soon as mail may leave.

    It is a delivery like others: chosen for this reader, and what it brings is not brought again.

    Args:
        store: the ledger.
        renderer: says the subject of what was chosen.
        list_: the list.
        subscriber_key: who is to get it: the daily issue, or the weekly one if they want that.
        now: aware.

    Returns:
        False: there is no issue with papers, or the reader was to get it already, or it holds nothing for them.
    """
    reader = await store.subscribers.by_key(subscriber_key)
    if reader is None:
        return False
    weekly = list_.weekly_edition if reader.cadence is Cadence.WEEKLY else None
    edition = weekly or list_
    issue = await store.issues.latest(edition.name)
    if issue is None or issue.is_quiet:
        return False
    plan = planner(
        edition,
        slot_on(edition, issue.day),
        now,
        at_once=True,
        choose=chooser(issue, await store.issues.languages(issue.key)).of,
        subject_of=subjects(renderer, issue),
    )
    return await store.issues.add_delivery(issue, subscriber_key, plan, now=now)
