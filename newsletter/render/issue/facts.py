"""What else a listing is in an issue for, in the language of its list. Pure.

`core.ranking` says it in English, for the commands too, and so it is stored with the issue.
"""

from __future__ import annotations

import re

from newsletter.core.ranking import NEW, ROSE_LATE
from newsletter.core.text import one_line
from newsletter.render.issue.language import Language

_VOTES = re.compile(r"[\d,]+ upvotes?")  # a badge of their own says them
_SINCE = re.compile(r"\+([\d,]+) since (yesterday|the last issue)")
_POINTS = re.compile(r"([\d,]+) points? on Hacker News")


def facts(language: Language, reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reasons of a listing in a language, without its votes and that it is new."""
    told = (reason for reason in reasons if reason != NEW and not _VOTES.fullmatch(reason))
    return tuple(_fact(language, one_line(reason)) for reason in told)


def late(language: Language, reasons: tuple[str, ...]) -> str:
    """Return that a listing rose late, in a language; or an empty string if it did not."""
    return _fact(language, ROSE_LATE) if ROSE_LATE in reasons else ""


def _fact(language: Language, reason: str) -> str:
    if growth := _SINCE.fullmatch(reason):
        count = language.compact(_number(growth[1]))
        if growth[2] == "yesterday":
            return language.gettext("+%(count)s since yesterday", count=count)
        return language.gettext("+%(count)s since the last issue", count=count)
    if points := _POINTS.fullmatch(reason):
        return language.ngettext(
            "%(count)s point on Hacker News", "%(count)s points on Hacker News", _number(points[1])
        )
    return language.gettext("rose late") if reason == ROSE_LATE else reason


def _number(text: str) -> int:
    return int(text.replace(",", ""))
