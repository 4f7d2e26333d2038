"""Dates, counts and pieces of text for readers, independent of the locale: filters of the templates."""

from __future__ import annotations

import re
import textwrap
from datetime import date

LINE = 72  # columns of the text part
AI_SUMMARY = "AI summary:"  # before each text by a model, wherever it is shown

FIGURE = "Figure shown with the paper"  # in place of a picture that is not loaded

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*(?=\s+[^a-z\s])|[。！？]")  # noqa: RUF001 -- CJK marks end sentences
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|al|vs|cf|fig|eq|sec|tab|approx|resp|dr|prof|no|[A-Z])$", re.IGNORECASE
)


def long_date(day: date) -> str:
    """Return a day as `Thursday, 12 March 2026`."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_date(day: date, today: date | None = None) -> str:
    """Return a day as `12 Mar`; with its year if that is not the year of `today`."""
    year = "" if today is None or today.year == day.year else f" {day.year}"
    return f"{day.day} {_MONTHS[day.month - 1][:3]}{year}"


def compact(number: int) -> str:
    """Return a count as `1,234`, `12.3k` or `4.5M`."""
    if number < 10_000:  # noqa: PLR2004 -- four digits are read at a glance
        return f"{number:,}"
    thousands, millions = f"{number / 1_000:.1f}k", f"{number / 1_000_000:.1f}M"
    return (thousands if number < 1_000_000 else millions).replace(".0", "")  # noqa: PLR2004


def counted(number: int, noun: str) -> str:
    """Return `1 paper` or `46 papers`."""
    return f"{compact(number)} {noun}{'' if number == 1 else 's'}"


def unbroken(text: str) -> str:
    """Return text with no-break spaces, so that a date or a count stays on one line."""
    return text.replace(" ", "\u00a0")


def cut(text: str, limit: int) -> str:
    """Return text of at most `limit` characters; a longer text is cut between words, with an ellipsis."""
    if len(text) <= limit:
        return text
    head = text[: limit - 2]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:-\u2013") + " …"


def cut_at_sentence(text: str, limit: int) -> str:
    """Return as many first sentences of a text as fit into `limit` characters; else words and an ellipsis."""
    if len(text) <= limit:
        return text
    ends = [
        end.end()
        for end in _SENTENCE_END.finditer(text, 0, limit + 2)
        if end.end() <= limit and not _ABBREVIATION.search(text[: end.start()])
    ]
    return text[: ends[-1]] if ends and ends[-1] >= limit // 3 else cut(text, limit)


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Return text wrapped for the text part, every line indented.

    Args:
        text: one paragraph.
        indent: columns before each line.
        first: replaces the margin of the first line, such as `1. `; it may contain a mark, so its length is not
            counted.
    """
    margin = " " * indent
    filled = textwrap.fill(
        text,
        LINE,
        initial_indent=margin,
        subsequent_indent=margin,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return first + filled[indent:] if first else filled
