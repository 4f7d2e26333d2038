"""The next issue of a list: the first that whoever joins now gets."""

from __future__ import annotations

from datetime import datetime

from newsletter.core.calendar import Slot, earliest_day, next_slot
from newsletter.core.newsletter_list import NewsletterList
from newsletter.ports import Issues


async def next_issue(issues: Issues, list_: NewsletterList, now: datetime) -> Slot | None:
    """Return the slot of the next issue that is not made yet; None: the list has no days.

    The issue of a day that is to come may be made already: `run --date` makes it.

    Args:
        issues: what was made.
        list_: the list, or its weekly edition.
        now: the moment, aware.
    """
    return next_slot(list_, now, await issues.days(list_.name, since=earliest_day(now)))
