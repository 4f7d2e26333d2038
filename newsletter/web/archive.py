"""The web versions of issues: every listing with its whole abstract, for nobody in particular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from newsletter.links import Links
from newsletter.ports import Issues

if TYPE_CHECKING:
    from datetime import date

    from newsletter.core.issue import Issue


class IssuePages(Protocol):
    """Renders the web version of an issue."""

    def issue_page(self, issue: Issue, *, web_url: str) -> str:
        """Return a whole HTML page."""
        ...


@dataclass(frozen=True, slots=True)
class IssueArchive:
    """The frozen issues as pages; honours the protocol of the public pages."""

    issues: Issues
    pages: IssuePages
    links: Links

    async def page(self, list_name: str, day: date) -> str | None:
        """Return the page of an issue, or None if there is none."""
        issue = await self.issues.find(list_name, day)
        if issue is None:
            return None
        return self.pages.issue_page(issue, web_url=self.links.issue(list_name, day))
