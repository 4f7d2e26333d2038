"""How a list presents itself on the pages of its readers."""

from __future__ import annotations

from typing import NamedTuple

from newsletter.core.landing import Landing
from newsletter.core.newsletter_list import Masthead
from newsletter.ports import Issues


class Shown(NamedTuple):
    """What of a list shows on a page: its masthead, and where titles of papers lead."""

    masthead: Masthead
    landing: Landing


async def list_shown(issues: Issues, list_name: str) -> Shown:
    """Return how a list presents itself, as its newest issue says; a list without issues goes by its name.

    The list file is not asked: links must work while that file has a mistake in it.
    """
    latest = await issues.outline(list_name)
    if latest is None:
        return Shown(Masthead(list=list_name, title=list_name, sender=""), Landing.SOURCE)
    return Shown(latest.masthead, latest.landing)
