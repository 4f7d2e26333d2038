"""Readers on their own pages: how their list presents itself to them, and where their other pages are."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.requests import Request

from newsletter.core.landing import Landing
from newsletter.core.newsletter_list import Masthead
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.ports import Issues
from newsletter.render.issue.catalogues import own_language

# Whom a token stands for that we did not make. The store gives nobody this number, and is asked all the same: so a
# token that is altered takes as long to refuse as one that was used before.
NOBODY = -1


class Shown(NamedTuple):
    """What of a list shows on a page: its masthead, and where titles of papers lead."""

    masthead: Masthead
    landing: Landing


async def shown_to(issues: Issues, reader: Subscriber) -> Shown:
    """Return how a list presents itself to one of its readers: in their own language, where they have one."""
    shown = await list_shown(issues, reader.list)
    return shown._replace(masthead=to_reader(shown.masthead, reader))


async def list_shown(issues: Issues, list_name: str) -> Shown:
    """Return how a list presents itself, as its newest issue says; a list without issues goes by its name.

    The list file is not asked: links must work while that file has a mistake in it.
    """
    latest = await issues.outline(list_name)
    if latest is None:
        return Shown(Masthead(list=list_name, title=list_name, sender=""), Landing.SOURCE)
    return Shown(latest.masthead, latest.landing)


async def masthead_for(issues: Issues, reader: Subscriber) -> Masthead:
    """Return how a list presents itself to a reader, as its newest issue says."""
    return (await shown_to(issues, reader)).masthead


def to_reader(masthead: Masthead, reader: Subscriber) -> Masthead:
    """Return how a list presents itself to a reader: in the language that they chose."""
    return masthead.in_language(own_language(reader.language, masthead.language))


def today_of(reader: Subscriber, now: datetime, timezone: str = "UTC") -> date:
    """Return which day it is where a reader is.

    Args:
        reader: the reader.
        now: aware.
        timezone: the list's (an IANA name), for who has named none.
    """
    return now.astimezone(ZoneInfo(reader.timezone or timezone)).date()


def page_path(request: Request, links: Links, link: str) -> str:
    """Return a link to another of our pages, as seen from the page that was asked for.

    So a form leads to the server that showed it, by whatever name and below whatever path a proxy puts it.

    Args:
        request: for the page.
        links: made the link.
        link: with the public address in front, or nothing where there is none.
    """
    up = "../" * (request.url.path.count("/") - 1)
    return up + link.removeprefix(f"{links.public_url}/") if link else ""
