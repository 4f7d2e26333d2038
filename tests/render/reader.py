"""One reader's mail of an issue, by the templates: its parts."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.core.choice import Choice, Reason, ReasonKind, TextKind
from newsletter.core.issue import Issue
from newsletter.core.tokens import Links
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint.mail import Mail
from tests.render import mails as make


def reader_mail(
    renderer: TemplateRenderer,
    issue: Issue,
    *,
    name: str = "Ada Lovelace",
    matched: Mapping[int, str] | None = None,
    positions: tuple[int, ...] | None = None,
    text: TextKind = TextKind.SUMMARY,
    links: Links = make.LINKS,
) -> Mail:
    """Return the mail that a reader gets.

    Args:
        renderer: the templates.
        issue: the issue.
        name: the reader's.
        matched: the topics that match, by the position of the listing.
        positions: what the reader gets, in order; None: what somebody without wishes gets, what matches first.
        text: what the reader wants to read of papers.
        links: to the public pages.
    """
    known = matched or {}
    if positions is None:
        positions = tuple(sorted(range(issue.length), key=lambda position: position not in known))
    reasons = tuple(
        (Reason(ReasonKind.TOPIC, known[position]),) if position in known else () for position in positions
    )
    to = make.delivery("ada@example.org", name)._replace(
        choice=Choice(positions, reasons, text), subject=issue.subject
    )
    return Mail(make.issue_mail(renderer, issue, to, links=links), issue)
