"""In which section of the mail each listing stands that a reader gets. Pure."""

from __future__ import annotations

from newsletter.core.choice import Choice
from newsletter.core.issue import Issue
from newsletter.core.layout import Sections, sections
from newsletter.core.newsletter_list import Cadence
from newsletter.core.quiet import quiet_sections
from newsletter.core.week import sections_of_week


def issue_sections(issue: Issue, choice: Choice) -> Sections:
    """Return how the mail of an issue shows a choice: by its day or its week, or as that of a day without news."""
    if issue.is_quiet:
        return quiet_sections(issue)
    if issue.terms.cadence is Cadence.WEEKLY:
        return sections_of_week(choice, issue)
    return sections(choice, issue.terms.layout)
