"""The post of an issue in a channel: its lead, five titles and the link, as long as the service allows. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

from newsletter.core.text import one_line

TITLES = 5  # beside the lead
_LONGEST_TITLE = 200
_LONGEST_TEXT = 280
_LONGEST_LIST = 120
_LONGEST_LABEL = 120
_CALL = re.compile(r"[@<](?=[\w/!@#])")
_MARKUP = re.compile(r"([\\`*_~|\[\]()#>])")
_CUT = "…"
# A character that is one sign with the next: before a mark, a variation or a shade, and beside a joiner.
_JOINED = re.compile("\u200d|.[\u0300-\u036f\u1ab0-\u1aff\u200d\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]")


class PostStyle(Enum):
    """How a service reads what is posted."""

    TEXT = "text"  # as it stands
    ESCAPED = "escaped"  # as Markdown, with lines and links as they stand
    MARKDOWN = "markdown"  # as Markdown all through


@dataclass(frozen=True, slots=True)
class Post:
    """What is posted. It says nothing in words of ours, so it suits every language."""

    title: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedIssue:
    """What a post tells of an issue.

    Attributes:
        list_title: the title of its list.
        day: of the issue.
        titles: of its papers, best first; at least one.
        text: of the first paper, in plain words, or nothing.
        label: stands before the text and says who wrote it, such as a model; or nothing.
        url: where the issue is read, or nothing.
    """

    list_title: str
    day: date
    titles: Sequence[str]
    text: str
    url: str
    label: str = ""


def post_of(
    issue: PostedIssue, *, longest: int, size: Callable[[str], int] = len, style: PostStyle = PostStyle.TEXT
) -> Post:
    """Return the post of an issue.

    What strangers wrote calls nobody and marks nothing up: an `@` or `<` before a word gets a space of no width
    behind it, and what Markdown would take for markup is escaped. Where all is too long, the last titles are left
    out first, then the text of the lead, then the end of its title; never the link.

    Args:
        issue: what it tells.
        longest: the most that title and body may have together, with a line between them; at least 600.
        size: measures a text as the service does.
        style: how the service reads it.
    """
    title = f"{_calm(issue.list_title, _LONGEST_LIST)} · {issue.day.isoformat()}"
    room = longest - size(title) - 2
    for body in _bodies(issue, style):
        if size(body) <= room:
            return Post(title, body)
    return Post(title, issue.url)


def _bodies(issue: PostedIssue, style: PostStyle) -> Iterator[str]:
    """Yield what the body may be, each shorter than the one before."""

    def said(text: str, most: int) -> str:
        calm = _calm(text, most)
        return calm if style is PostStyle.TEXT else _MARKUP.sub(r"\\\1", calm)

    lead, *others = (said(title, _LONGEST_TITLE) for title in issue.titles[: 1 + TITLES])
    text, others_in_all = said(issue.text, _LONGEST_TEXT), len(issue.titles) - 1
    if text and issue.label:
        text = f"{said(issue.label, _LONGEST_LABEL)} {text}"
    for count in range(len(others), -1, -1):
        yield _body((lead, text), others[:count], others_in_all - count, issue.url, style)
    for most in (_LONGEST_TITLE, 100, 50):
        yield _body((said(issue.titles[0], most),), (), others_in_all, issue.url, style)


def _body(lead: Sequence[str], others: Sequence[str], left_out: int, url: str, style: PostStyle) -> str:
    is_markdown = style is PostStyle.MARKDOWN
    mark = "-" if is_markdown else "•"
    listed = [*(f"{mark} {title}" for title in others), *([f"{mark} +{left_out}"] if left_out else [])]
    link = f"[{url}]({url})" if is_markdown and url else url
    # A single line break is none in Markdown.
    parts = [("\n\n" if is_markdown else "\n").join(part for part in lead if part), "\n".join(listed), link]
    return "\n\n".join(part for part in parts if part)


def _calm(text: str, most: int) -> str:
    """Return a text of strangers as one line, cut, that calls nobody."""
    return _CALL.sub("\\g<0>\u200b", _cut(one_line(text, most + 1), most))


def _cut(text: str, most: int) -> str:
    """Return a text of so many characters at most, cut between words where there are some, and within no sign."""
    if len(text) <= most:
        return text
    end = most - 1
    while end > most // 2 and _JOINED.match(text, end - 1):
        end -= 1
    begin = text[:end]
    words, space, _ = begin.rpartition(" ")
    return (words if space and len(words) > most // 2 else begin).rstrip() + _CUT
