"""Times in words: when a list comes out, when its next issue comes, and how long something lasts."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_time, get_day_names, get_timezone_location
from babel.lists import format_list

from newsletter.core.newsletter_list import Cadence, NewsletterList
from newsletter.render.issue.language import Language

_WORKING_DAYS = (0, 1, 2, 3, 4)
_A_WEEK = 7


def schedule(language: Language, list_: NewsletterList, cadence: Cadence | None = None) -> str:
    """Return when issues come: `every weekday at 08:00 (London time)`.

    Args:
        language: in which to say it.
        list_: the list.
        cadence: the reader's; None: the list's own.
    """
    if cadence is Cadence.WEEKLY and list_.weekly_edition is not None:
        list_ = list_.weekly_edition
    days = tuple(sorted(set(list_.issue_days)))
    at = {"hour": clock(language, list_.hour), "zone": zone(language, list_.timezone)}
    if len(days) == _A_WEEK:
        return language.gettext("every day at %(hour)s (%(zone)s)", **at)
    if days == _WORKING_DAYS:
        return language.gettext("every weekday at %(hour)s (%(zone)s)", **at)
    names = get_day_names("wide", locale=language.locale)
    named = format_list([names[day] for day in days], locale=language.locale)
    return language.gettext("every %(days)s at %(hour)s (%(zone)s)", days=named, **at)


def moment(language: Language, at: datetime, timezone: str) -> str:
    """Return a moment by the clocks of a zone: `Thursday, 12 March 2026, at 08:00 (London time)`."""
    local = at.astimezone(ZoneInfo(timezone))
    return language.gettext(
        "%(date)s, at %(hour)s (%(zone)s)",
        date=language.long_date(local.date()),
        hour=clock(language, local.time()),
        zone=zone(language, timezone),
    )


def clock(language: Language, at: time) -> str:
    """Return a time of day such as `08:00`."""
    return str(format_time(at.replace(tzinfo=None), "HH:mm", locale=language.locale))


def zone(language: Language, timezone: str) -> str:
    """Return what a zone's time is called, by its city: `London time`; a zone without one has its name."""
    if "/" not in timezone or timezone.startswith("Etc/"):
        return timezone
    city = get_timezone_location(timezone, locale=language.locale, return_city=True)
    return language.gettext("%(city)s time", city=city)


def span(language: Language, days: int) -> str:
    """Return how long something lasts: `7 days`."""
    return language.ngettext("%(count)s day", "%(count)s days", days)
