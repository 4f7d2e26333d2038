"""The page of a day: the issue of that day, and whatever the list's sources showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from newsletter.core.issue import Issue
from newsletter.core.layout import day_section
from newsletter.core.newsletter_list import WEEKLY_EDITION, Cadence
from newsletter.core.week import day_of_week
from newsletter.render.issue.clauses import cut
from newsletter.render.issue.times import clock
from newsletter.render.site.orders import Order, in_order, part
from newsletter.render.site.papers import ShownPaper, plain
from newsletter.web.pages.lists.drawing import (
    Drawing,
    Setting,
    most_discussed,
    most_upvoted,
    newest,
    pages_of,
)
from newsletter.web.pages.lists.places import Day, Front, Week, address_of, following, monday_of
from newsletter.web.pages.lists.reading import DayOfList, ListReader, Neighbours

_TO_SUNDAY = timedelta(days=6)  # from the Monday of a week
_BEST_OF_A_DAY = 3  # papers of each day of a weekly issue that show their texts
_DESCRIBED = 3  # papers whose titles describe a page
_LONGEST_DESCRIPTION = 300


async def front_page(reader: ListReader, setting: Setting, place: Front) -> Drawing | None:
    """Return the front page of a list: its newest day, or that there is nothing yet."""
    day = await reader.newest(setting.known, setting.now)
    if day is None:
        return _nothing_yet(setting)
    return await day_page(reader, setting, Day(list=place.list, day=day), is_front=True)


async def day_page(reader: ListReader, setting: Setting, place: Day, *, is_front: bool = False) -> Drawing | None:
    """Return the page of a day; None: there is none. An issue of a weekly list shows what its week brought."""
    known, last = setting.known, setting.known.last_day(setting.now)
    issue = await reader.issues.find(place.list, place.day)
    if issue is not None and issue.terms.cadence is Cadence.WEEKLY:
        return _weekly_issue(setting, place, issue, await reader.of_issue(issue), is_front=is_front)
    if place.list.endswith(WEEKLY_EDITION) or (issue is None and place.day > last):
        return None
    shown = await reader.day(known, place.day, issue)
    papers = in_order(shown.papers, setting.order, with_code=setting.with_code) if shown else []
    here = part(papers, place.number)
    if shown is None or here is None:
        return None
    week = Week(list=known.name, monday=monday_of(place.day))
    here = replace(here, papers=await reader.with_summaries(known, here.papers))
    of_week = await reader.between(known, monday_of(place.day), min(monday_of(place.day) + _TO_SUNDAY, last))
    around = await reader.neighbours(known, place.day, last)

    def values() -> dict[str, Any]:
        is_newest = around.after is None
        return {
            **setting.shared("today" if is_newest else ""),
            **_of_day(setting, shown, place, is_newest=is_newest),
            **setting.listing(shown.papers, here, place),
            **_around(setting, around, place.day),
            "is_front": is_front,
            "week": address_of(week),
            "best_of_week": most_upvoted(setting.frame, of_week),
            "discussed": most_discussed(setting.frame, shown.papers),
        }

    changed_at = newest(shown.updated_at, issue.frozen_at if issue else None)
    return Drawing(template="day", values=values, changed_at=changed_at, pages=here.pages)


def _of_day(setting: Setting, shown: DayOfList, place: Day, *, is_newest: bool) -> dict[str, Any]:
    """Return what the head of a day's page says."""
    zone = setting.known.timezone
    updated = shown.updated_at.astimezone(zone) if shown.updated_at else None
    return {
        "day": place.day,
        "n_papers": len(shown.papers),
        "n_new": sum(one.is_new for one in shown.papers),
        "n_earlier": sum(one.paper.first_listed_on < place.day for one in shown.papers),
        "updated": clock(setting.frame, updated.time()) if updated and is_newest else "",
        "issue": shown.issue,
        "description": _described(shown.papers),
    }


def _described(papers: Sequence[ShownPaper]) -> str:
    best = in_order(papers, Order.UPVOTED)[:_DESCRIBED]
    return cut(" · ".join(plain(one.paper.listing.title) for one in best), _LONGEST_DESCRIPTION)


def _around(setting: Setting, around: Neighbours, day: date) -> dict[str, Any]:
    """Return the days around a day: each with its address, how many papers it has, and whether it is this one.

    The last value says whether it stands so far before this one that narrow screens have no room for it.
    """
    place = [one for one, _ in around.days].index(day)

    def address(one: date | None) -> str:
        return address_of(Day(list=setting.known.name, day=one)) if one else ""

    return {
        "tabs": [
            (one, address(one), count, one == day, tab < place - 1) for tab, (one, count) in enumerate(around.days)
        ],
        "day_before": address(around.before),
        "day_after": address(around.after),
    }


def _weekly_issue(
    setting: Setting, place: Day, issue: Issue, papers: Sequence[ShownPaper], *, is_front: bool
) -> Drawing | None:
    """Return the page of an issue that sums up a week, by its days; what was listed before comes last."""
    by_day = {one: day_of_week(one.paper.first_listed_on, issue.day) for one in papers}
    first, last = min(filter(None, by_day.values()), default=issue.day), issue.day
    ordered = sorted(papers, key=lambda one: (by_day[one] is None, by_day[one] or date.min, one.rank or 0))
    here = part(ordered, place.number)
    if here is None:
        return None

    def values() -> dict[str, Any]:
        days = [(day, list(group)) for day, group in groupby(here.papers, key=by_day.__getitem__)]
        groups = [(day, day_section(day), setting.views(group, in_full=_BEST_OF_A_DAY)) for day, group in days]
        return {
            **setting.shared("today" if is_front else "", masthead=issue.masthead),
            "is_front": is_front,
            "issue": issue,
            "n_papers": len(papers),
            "between": setting.frame.between(first, last),
            "description": _described(papers),
            "groups": groups,
            "is_by_model": any(shown["is_by_model"] for *_, shown in groups),
            "paged": pages_of(here, lambda number: address_of(following(place, number))),
            "best_of_week": most_upvoted(setting.frame, papers),
            "discussed": most_discussed(setting.frame, papers),
        }

    return Drawing(template="weekly_issue", values=values, changed_at=issue.frozen_at, pages=here.pages)


def _nothing_yet(setting: Setting) -> Drawing:
    return Drawing(template="list_empty", values=lambda: setting.shared("today"))
