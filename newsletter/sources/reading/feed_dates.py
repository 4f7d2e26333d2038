"""Dates as feeds write them: RFC 822 in RSS, RFC 3339 in Atom and Dublin Core, and forms close to either."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz

_LONGEST = 60  # characters
_DATE = r"(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})"
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?"
_ZONE = r"(?:Z|UTC|GMT|([+-])(\d{2}):?(\d{2})?)"
_ISO = re.compile(rf"{_DATE}(?:(?:[Tt]|\s+){_TIME}\s*{_ZONE}?)?.*", re.IGNORECASE)
_MONTH = re.compile(r"(\d{4})(?:-(\d{1,2}))?")  # Dublin Core allows year and month only


def moment(text: str) -> datetime | None:
    """Return the moment that a date names, in its own time zone (UTC if it names none); None for other texts."""
    text = " ".join(text[:_LONGEST].split())
    try:
        return _iso(text) or _rfc822(text)
    except (ValueError, OverflowError, TypeError):  # such as 31 February, or an offset of three weeks
        return None


def _iso(text: str) -> datetime | None:
    if month := _MONTH.fullmatch(text):
        return datetime(int(month[1]), int(month[2] or 1), 1, tzinfo=UTC)
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month_, day, hour, minute, second = (int(number or 0) for number in found.groups()[:6])
    sign, hours, minutes = found.groups()[6:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    # datetime has no leap second.
    return datetime(year, month_, day, hour % 24, minute, min(second, 59), tzinfo=zone)


def _rfc822(text: str) -> datetime | None:
    text = re.sub(r"\bsept\b", "Sep", text, flags=re.IGNORECASE)
    parts = parsedate_tz(text) or parsedate_tz(f"{text} 00:00:00")
    if parts is None:
        return None
    year, month, day, hour, minute, second = parts[:6]
    zone = timezone(timedelta(seconds=parts[9] or 0))
    return datetime(year, month, day, hour % 24, minute, min(second, 59), tzinfo=zone)
