"""The renderer that the pipeline is given: templates, links and signature put together."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date, datetime

from newsletter.core.choice import Choices
from newsletter.core.issue import Draft, Issue
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.subscriber import Subscriber
from newsletter.core.tokens import Links
from newsletter.core.topics import OWN_WORDS, TopicsMode
from newsletter.render.issue.message import IssueMessage, told
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.signing import Signer

# A run asks for the message of one issue several times; a rendered issue is some 300 KB.
_REMEMBERED = 4


class MailRenderer:
    """Turns issues into mail; honours `ports.Renderer`.

    Args:
        templates: renders the parts.
        links: makes the links to the public pages.
        signer: signs with DKIM, or None where the relay does.
    """

    def __init__(self, templates: TemplateRenderer, links: Links, signer: Signer | None = None) -> None:
        self._templates, self._links, self._signer = templates, links, signer
        self._messages: OrderedDict[tuple[str, date, int, datetime], IssueMessage] = OrderedDict()

    def subject(self, draft: Draft) -> str:
        """Return the subject line of a draft; raises RenderError."""
        return self._templates.subject(draft)

    def message(self, issue: Issue, list_: NewsletterList) -> IssueMessage:
        """Render an issue once, for all readers; raises RenderError. A frozen issue is rendered once."""
        key = (issue.list, issue.day, issue.number, issue.frozen_at)
        if key not in self._messages:
            self._messages[key] = self.anew(issue, list_)
            while len(self._messages) > _REMEMBERED:
                self._messages.popitem(last=False)
        return self._messages[key]

    def anew(self, issue: Issue, list_: NewsletterList, *, trial: bool = False) -> IssueMessage:
        """Render an issue with the templates as they are now; raises RenderError.

        A `trial` is a test copy. Its Message-ID is not that of the issue, or a mail provider would take the
        issue itself, when it comes, for a duplicate.
        """
        choices = Choices(issue.listings, list_)
        rendered = self._templates.issue(
            issue,
            web_url=self._links.issue(issue.list, issue.day),
            matched=_longest(choices, list_),
        )
        return IssueMessage(
            rendered,
            issue,
            choices,
            subject=self.subject,
            links=self._links,
            signer=self._signer,
            trial=trial,
        )


def _longest(choices: Choices, list_: NewsletterList) -> list[str]:
    """Return what the mail tells of matches to a reader whom everything interests."""
    curious = Subscriber(list=list_.name, email="", topics=tuple(list_.topics), topics_mode=TopicsMode.FIRST)
    choice = choices.of(curious)
    by_position = sorted(zip(choice.positions, choice.topics, strict=True))
    return [told((OWN_WORDS, *topics)) for _, topics in by_position]
