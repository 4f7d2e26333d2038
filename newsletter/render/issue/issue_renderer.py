"""The renderer that the pipeline is given: templates, links and signature put together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from newsletter.core.choice import Choice
from newsletter.core.issue import Draft, Issue, IssueListing
from newsletter.core.issue_sections import issue_sections
from newsletter.core.rendering import Rendering
from newsletter.core.tokens import Links
from newsletter.ports import Renderer
from newsletter.render.issue.message import IssueMessage
from newsletter.render.issue.pages import Pages
from newsletter.render.issue.renderer import TemplateRenderer

if TYPE_CHECKING:
    from newsletter.render.mime.signing import Signer


class MailRenderer(Renderer):
    """Turns issues into mail.

    Args:
        templates: renders the parts.
        links: makes the links to the public pages.
        signer: signs with DKIM, or None where the relay does.
    """

    def __init__(self, templates: TemplateRenderer, links: Links, signer: Signer | None = None) -> None:
        self._templates, self._links, self._signer = templates, links, signer
        self._compiled: tuple[str, Pages | None] = "", None

    def subject(self, draft: Draft) -> str:
        """Return the subject line of a draft by the templates as they are now; raises RenderError."""
        return self._templates.subject(draft)

    def render(self, issue: Issue) -> Rendering:
        """Render an issue by the templates as they are now; raises RenderError."""
        rendering, pages = self._rendered(issue, None)
        return replace(rendering, html_bytes=pages.html_bytes(Choice.first(issue.length), issue.subject))

    def render_for(self, issue: Issue, choice: Choice) -> Rendering:
        """Render an issue for nobody but those with a choice; raises RenderError.

        Their message is the same as by `render`; it takes a fraction of the time where there are many candidates.
        """
        positions = {*choice.positions, *chain(*issue_sections(issue, choice).named.values())}
        return self._rendered(issue, positions)[0]

    def _rendered(self, issue: Issue, only: Collection[int] | None) -> tuple[Rendering, Pages]:
        """Return the rendering, without its size, and its compiled pages."""
        web_url = self._links.issue(issue.list, issue.day)

        def cite(item: IssueListing) -> str:
            return self._links.cite(issue.list, issue.day, item.key)

        signup_url = self._links.sign_up(issue.masthead.readers_of) if issue.terms.is_open else ""
        rendering = self._templates.issue(
            issue, web_url=web_url, signup_url=signup_url, cite=cite, only=only
        ).stored()
        pages = IssueMessage(issue, rendering, links=self._links).pages
        self._compiled = rendering.html.nonce, pages
        return rendering, pages

    def message(self, issue: Issue, rendering: Rendering, *, trial: bool = False) -> IssueMessage:
        """Return what makes each reader's message of a rendered issue.

        A `trial` is a test copy. Its Message-ID is not that of the issue, or a mail provider would take the issue
        itself, when it comes, for a duplicate.

        Raises:
            RenderError: a mark of a template, the sender or a link can't stand where it does; names it.
        """
        nonce, pages = self._compiled  # an issue that was rendered just now is compiled already
        return IssueMessage(
            issue,
            rendering,
            links=self._links,
            signer=self._signer,
            trial=trial,
            pages=pages if nonce == rendering.html.nonce else None,
        )
