"""Weeks and years of a list: what a week brought, and the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from newsletter.core.newsletter_list import editions_of
from newsletter.ports import IssueHeading
from newsletter.render.site.orders import in_order, part
from newsletter.web.pages.lists.drawing import Drawing, Setting
from newsletter.web.pages.lists.places import Archive, Day, Week, address_of, monday_of, week_name
from newsletter.web.pages.lists.reading import ListReader, Reach

_A_WEEK = timedelta(days=7)
_TO_SUNDAY = timedelta(days=6)


class _Row(NamedTuple):
    """A day in an archive: how many papers it has and, of an issue, its subject."""

    day: date
    address: str
    papers: int
    subject: str
    is_weekly: bool = False


async def week_page(reader: ListReader, setting: Setting, place: Week) -> Drawing | None:
    """Return the page of a week, the newest if the place names none; None: the list has nothing of it."""
    known = setting.known
    reach = await reader.reach(known, setting.now)
    if reach is None:
        return Drawing(template="list_empty", values=lambda: setting.shared("week")) if not place.monday else None
    first, last = monday_of(reach.first), monday_of(reach.last)
    monday = place.monday or last
    if not first <= monday <= last:
        return None
    sunday = min(monday + _TO_SUNDAY, known.last_day(setting.now))
    shown = await reader.between(known, monday, sunday)
    here = part(in_order(shown, setting.order, with_code=setting.with_code), place.number)
    if here is None:
        return None
    here = replace(here, papers=await reader.with_summaries(known, here.papers))
    counts = await reader.listed.days(known.sources, monday, sunday)
    issues = await reader.issues.headings(editions_of(known.name), since=monday, until=monday + _TO_SUNDAY)
    named = Week(list=known.name, monday=monday)

    def values() -> dict[str, Any]:
        return {
            **setting.shared("week" if monday == last else ""),
            **setting.listing(shown, here, named),
            "name": week_name(monday),
            "between": setting.frame.between(monday, monday + _TO_SUNDAY),
            "n_papers": len(shown),
            "days": _days(known.name, counts, issues),
            "issues": [(one, address_of(Day(list=one.list, day=one.day))) for one in issues],
            "week_before": address_of(Week(list=known.name, monday=monday - _A_WEEK)) if monday > first else "",
            "week_after": address_of(Week(list=known.name, monday=monday + _A_WEEK)) if monday < last else "",
        }

    updated = await reader.listed.updated_at(known.sources, monday, sunday)
    return Drawing(template="week", values=values, changed_at=updated, pages=here.pages)


def _days(
    list_name: str, counts: Mapping[date, int], issues: Sequence[IssueHeading]
) -> list[tuple[date, str, int]]:
    """Return the days of some time, newest first: each with its address, and how many papers it has."""
    of_issues = {one.day: one.listings for one in issues if one.list == list_name}
    return [
        (day, address_of(Day(list=list_name, day=day)), counts.get(day, of_issues.get(day, 0)))
        for day in sorted({*counts, *of_issues}, reverse=True)
    ]


async def archive_page(reader: ListReader, setting: Setting, place: Archive) -> Drawing | None:
    """Return the page of a year, the newest if the place names none; None: the list has nothing of it."""
    known = setting.known
    reach = await reader.reach(known, setting.now)
    if reach is None:
        return Drawing(template="list_empty", values=lambda: setting.shared("archive")) if not place.year else None
    year = place.year or reach.last.year
    if not reach.first.year <= year <= reach.last.year:
        return None
    since, until = date(year, 1, 1), min(date(year, 12, 31), reach.last)
    counts = await reader.listed.days(known.sources, since, until)
    issues = await reader.issues.headings(editions_of(known.name), since=since, until=date(year, 12, 31))

    def values() -> dict[str, Any]:
        return {
            **setting.shared("archive"),
            "year": year,
            "n_issues": len(issues),
            "months": _months(known.name, counts, issues),
            "years": _years(known.name, reach, year),
        }

    updated = await reader.listed.updated_at(known.sources, since, until)
    return Drawing(template="archive", values=values, changed_at=updated)


def _months(
    list_name: str, counts: Mapping[date, int], issues: Sequence[IssueHeading]
) -> list[tuple[date, list[_Row]]]:
    """Return the days and weekly issues of a year by month, newest first."""
    subjects = {one.day: one.subject for one in issues if one.list == list_name}
    rows = [
        _Row(day, address, papers, subjects.get(day, ""))
        for day, address, papers in _days(list_name, counts, issues)
    ] + [
        _Row(one.day, address_of(Day(list=one.list, day=one.day)), one.listings, one.subject, is_weekly=True)
        for one in issues
        if one.list != list_name
    ]
    rows.sort(key=lambda row: (row.day, row.is_weekly), reverse=True)
    return [(month, list(group)) for month, group in groupby(rows, key=lambda row: row.day.replace(day=1))]


def _years(list_name: str, reach: Reach, this: int) -> list[tuple[int, str, bool]]:
    """Return all years, newest first: each with its address, and whether it is this one."""
    return [
        (year, address_of(Archive(list=list_name, year=year)), year == this)
        for year in range(reach.last.year, reach.first.year - 1, -1)
    ]
