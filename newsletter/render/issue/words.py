"""What the frame of a mail says: dates, counts and sentences, independent of the locale."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from newsletter.core.choice import Choice, Reason, ReasonKind
from newsletter.core.searching import stems
from newsletter.core.text import one_line
from newsletter.render.issue.clauses import columns, cut
from newsletter.render.issue.mathtext import readable

LINE = 72  # columns of the text part
AI_SUMMARY = "AI summary:"  # before a text by a model that stands alone
_REASONS = 3  # that are said of a paper
_TOPICS = 3  # that are named at the head of a section
_NAME = 48  # columns of what a reader follows, and of a topic
# A word with the space before it; each character of a script that is written without spaces is one.
_WORD = re.compile(r"(\s*)([\u2e80-\u9fff\uf900-\ufaff]|[^\s\u2e80-\u9fff\uf900-\ufaff]+)")

FIGURE = "Figure shown with the paper"  # in place of a picture that is not loaded

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def weekday(day: date) -> str:
    """Return the name of a day's weekday."""
    return _WEEKDAYS[day.weekday()]


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


def share(shown: int, candidates: int) -> str:
    """Return how many papers there are, and of how many: `20 of 46 new papers`, or `46 new papers` for all."""
    return counted(shown, "new paper") if candidates <= shown else f"{shown} of {counted(candidates, 'new paper')}"


def counts(matching: int, others: int, candidates: int) -> str:
    """Return how many papers a mail holds, in a sentence.

    Args:
        matching: those that fit the reader's wishes.
        others: those that everybody gets.
        candidates: all new papers; a reader may get others too, that are new to this reader alone.
    """
    rest = candidates - matching
    if not matching:
        return f"{share(others, candidates)}."
    if not others and rest <= 0:
        return f"{counted(matching, 'paper')} for you."
    if not others:
        return f"{counted(matching, 'paper')} for you, of {counted(candidates, 'new paper')}."
    if others >= rest:
        return f"{counted(matching, 'paper')} for you, and {counted(others, 'other')}."
    return f"{counted(matching, 'paper')} for you, and the best {compact(others)} of {counted(rest, 'other')}."


def reading_time(minutes: int) -> str:
    """Return how long reading takes, in a sentence."""
    return "About a minute." if minutes == 1 else f"About {minutes} minutes."


def more_on_the_web(count: int) -> str:
    """Return how many papers only the web version shows, or nothing where it shows no more."""
    return f"{counted(count, 'more paper')} on the web" if count > 0 else ""


def more_in_the_text(count: int) -> str:
    """Return how many papers only the text part shows, or nothing where it shows no more."""
    return f"{counted(count, 'more paper')} in the text part of this mail" if count > 0 else ""


def rule(title: str, note: str = "") -> str:
    """Return the head of a section of the text part: `-- For you ---------- AI summaries`."""
    head, end = f"-- {title} ", f" {note}" if note else ""
    return head + "-" * max(LINE - columns(head + end), 2) + end


def beside(left: str, right: str) -> str:
    """Return two texts at both ends of a line of the text part, or on two lines where one has no room for them."""
    room = LINE - columns(left + right)
    return left + " " * room + right if room > 1 else f"{left}\n{right}"


@lru_cache(maxsize=4096)
def in_words(reasons: tuple[Reason, ...]) -> str:
    """Return why a listing is for a reader: the first few reasons."""
    return " · ".join(dict.fromkeys(_in_words(reason) for reason in reasons[:_REASONS]))


def _in_words(reason: Reason) -> str:
    name, word = cut(reason.name, _NAME), cut(reason.word, _NAME)
    match reason.kind:
        case ReasonKind.TOPIC:
            return f"{name}: {word}" if stems(word) != stems(name) else name
        case ReasonKind.INTEREST:
            return f"your interest: {word}"
        case ReasonKind.LIKED:
            return f"like “{cut(one_line(readable(reason.name)), _NAME)}”"
        case _:
            return f"you follow {name}"


def wishes(choice: Choice) -> str:
    """Return the names of the topics that a reader gets papers of, such as `agents, theory`."""
    topics = (one.name for reasons in choice.reasons for one in reasons if one.kind is ReasonKind.TOPIC)
    return ", ".join(cut(name, _NAME) for name in list(dict.fromkeys(topics))[:_TOPICS])


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Return text wrapped for the text part, every line indented.

    Args:
        text: one paragraph; between Chinese and Japanese characters, which have no spaces, it is wrapped too.
        indent: columns before each line.
        first: stands in the margin of the first line, such as `  147  `.
    """
    lines = [""]
    for space, word in _WORD.findall(text):
        longer = lines[-1] + space + word
        if lines[-1] and columns(longer) > LINE - indent:
            lines.append(word)
        else:
            lines[-1] = longer if lines[-1] else word
    margin = " " * indent
    return (first or margin) + f"\n{margin}".join(lines)
