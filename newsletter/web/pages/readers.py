"""How a list presents itself on the pages of its readers."""

from __future__ import annotations

from typing import NamedTuple

from newsletter.core.landing import Landing
from newsletter.core.newsletter_list import Masthead
from newsletter.core.subscriber import Subscriber
from newsletter.ports import Issues
from newsletter.render.issue.catalogues import own_language


class Shown(NamedTuple):
    """What of a list shows on a page: its masthead, and where titles of papers lead."""

    masthead: Masthead
    landing: Landing


async def shown_to(issues: Issues, reader: Subscriber) -> Shown:
    """Return how a list presents itself to one of its readers: in their own language, where they have one."""
    shown = await list_shown(issues, reader.list)
    language = own_language(reader.language, shown.masthead.language)
    return shown._replace(masthead=shown.masthead.in_language(language))


async def list_shown(issues: Issues, list_name: str) -> Shown:
    """Return how a list presents itself, as its newest issue says; a list without issues goes by its name.

    The list file is not asked: links must work while that file has a mistake in it.
    """
    latest = await issues.outline(list_name)
    if latest is None:
        return Shown(Masthead(list=list_name, title=list_name, sender=""), Landing.SOURCE)
    return Shown(latest.masthead, latest.landing)
