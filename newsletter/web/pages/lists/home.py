"""The front page of the site: all lists, each with its newest issue and the way to sign up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from newsletter.core.newsletter_list import editions_of
from newsletter.core.page_names import SIGN_UP
from newsletter.core.tokens import Links
from newsletter.render.issue.language import language
from newsletter.render.issue.times import schedule
from newsletter.web.pages.lists.drawing import Drawing
from newsletter.web.pages.lists.known import KnownList, KnownLists
from newsletter.web.pages.lists.places import Day, Front, address_of
from newsletter.web.pages.lists.reading import ListReader
from newsletter.web.pages.site_pages import Wanted, root_from

HOME = ""  # its address


async def home_page(lists: KnownLists, reader: ListReader, wanted: Wanted, links: Links, now: datetime) -> Drawing:
    """Return the page with all lists."""
    shown = [await _shown(reader, known, wanted, links, now) for known in await lists.all()]

    def values() -> dict[str, Any]:
        return {
            "language": wanted.language,
            "root": root_from(HOME),
            "here": "",
            "canonical": f"{links.public_url}/" if links.public_url else "",
            "public_url": links.public_url,
            "description": "",
            "is_static": wanted.is_static,
            "searched": "",
            "lists": shown,
        }

    return Drawing(template="home", values=values)


async def _shown(
    reader: ListReader, known: KnownList, wanted: Wanted, links: Links, now: datetime
) -> dict[str, Any]:
    """Return a list as the page shows it."""
    last = known.last_day(now)
    newest = await reader.issues.outline(known.name)
    headings = (
        await reader.issues.headings(editions_of(known.name)[:1], since=newest.day, until=newest.day)
        if newest
        else []
    )
    day = await reader.newest(known, now)
    signup = links.sign_up(known.name) if wanted.is_static else f"{root_from(HOME)}{SIGN_UP}/{known.name}"
    return {
        "masthead": known.masthead,
        "is_weekly": known.is_weekly,
        "address": address_of(Front(list=known.name)),
        "schedule": schedule(language(known.masthead.language), known.list) if known.list else "",
        "issue": headings[0] if headings else None,
        "issue_address": address_of(Day(list=known.name, day=headings[0].day)) if headings else "",
        "day": day,
        "papers": (await reader.listed.days(known.sources, day, min(day, last))).get(day, 0) if day else 0,
        "signup_url": signup if known.is_open else "",
    }
