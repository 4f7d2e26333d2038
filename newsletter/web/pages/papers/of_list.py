"""Which list a page of a paper belongs to: it shows that list's name, language and times."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.core.newsletter_list import WEEKLY_EDITION
from newsletter.ports import InIssue, ListedPaper
from newsletter.web.pages.lists.known import KnownList


def list_of(lists: Sequence[KnownList], issues: Sequence[InIssue], listed: ListedPaper) -> KnownList | None:
    """Return the list of the newest issue that a paper stands in, else one whose sources showed it, or None."""
    by_name = {one.name: one for one in lists}
    issued = (by_name.get(one.list.removesuffix(WEEKLY_EDITION)) for one in issues)
    showing = (one for one in lists if not set(listed.sources).isdisjoint(one.sources))
    return next((one for one in issued if one), None) or next(showing, None)
