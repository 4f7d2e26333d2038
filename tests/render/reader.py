"""One reader's page from a rendered issue, as plainly as can be: what the marks stand for, filled in."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Literal

from newsletter.core.issue import Issue
from newsletter.render.issue.rendered import RenderedIssue
from newsletter.render.issue.view import size

READER = {
    "name": "Ada Lovelace",
    "email": "ada@example.org",
    "unsubscribe_url": "https://papers.example.org/unsubscribe/MQ.x3Jt8q",
    "preferences_url": "mailto:papers@example.org?subject=Preferences%3A%20daily",
}


def reader_page(
    rendered: RenderedIssue,
    issue: Issue,
    part: Literal["html", "text"] = "html",
    *,
    values: Mapping[str, str] | None = None,
    matched: Mapping[int, str] | None = None,
) -> str:
    """Return a part of a rendered issue with its marks filled in, all listings in the issue's own order.

    Args:
        rendered: the rendered issue.
        issue: what it was made of.
        part: which one.
        values: what the reader's slots hold.
        matched: the topics that match, by the position of the listing.
    """
    page, marks = (
        (rendered.html, rendered.html_markers) if part == "html" else (rendered.text, rendered.text_markers)
    )
    known = {**READER, **_of_whole(rendered, issue), **(values or {})}
    open_blocks: list[bool] = []
    pieces, position, start = [], -1, 0

    def value(name: str) -> str:
        if name == "number":
            return str(position + 1)
        if name == "margin":
            return f"{position + 1}. ".ljust(4)
        return (matched or {}).get(position, "") if name == "matched" else known[name]

    for mark in marks.pattern.finditer(page):
        if all(open_blocks):
            pieces.append(page[start : mark.start()])
        start = mark.end()
        kind, _, rest = mark[1].partition(".")
        if kind == "slot" and all(open_blocks):
            pieces.append(escape(value(rest)) if part == "html" else value(rest))
        elif kind == "when":
            open_blocks.append(bool(value(rest)))
        elif kind == "begin":
            open_blocks.append(True)
            position = int(rest.partition(".")[2])
        elif kind == "end":
            open_blocks.pop()
    return "".join(pieces) + page[start:]


def _of_whole(rendered: RenderedIssue, issue: Issue) -> dict[str, str]:
    count, left_out = len(issue.listings), len(rendered.left_out)
    return {
        "subject": issue.subject,
        "preheader": rendered.view.preheader,
        "size": size(count, issue.candidates),
        "shown": size(count - left_out, issue.candidates),
        "left_out": str(left_out or ""),
        "long": "yes" if rendered.view.has_contents else "",
    }
