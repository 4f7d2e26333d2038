"""Posts of issues in the channels of their lists: each once, and never before the mail's turn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import override

from newsletter.core.channels import Channel
from newsletter.core.issue import Issue
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.notices import FOR_SIX_HOURS, Notice
from newsletter.core.posts import TITLES, PostedIssue, post_of
from newsletter.core.tokens import Links
from newsletter.outgoing.chat import Chat
from newsletter.outgoing.receiver import NotTakenError, Receiver
from newsletter.ports import Issues, Notices
from newsletter.render.issue.citation import readable_title
from newsletter.render.issue.mathtext import readable

# An issue that was closed before is no news: a new channel begins with the next one.
_NEWS_FOR = timedelta(days=1)
_ABSTRACT = 1000  # characters of it that are looked at


async def note_posts(lists: Iterable[NewsletterList], issues: Issues, notices: Notices, *, now: datetime) -> None:
    """Write a notice of each list's newest issue for each of its channels; safe to repeat.

    A quiet issue, which brings nothing, is not posted, nor is the weekly edition of a daily list.
    """
    for list_ in lists:
        receivers = {channel.receiver(list_.name) for channel in list_.channels}
        outline = await issues.outline(list_.name) if receivers else None
        if outline is None or now - outline.frozen_at > _NEWS_FOR:
            continue
        if not (new := receivers - await notices.posted(outline.key)):
            continue
        issue = await issues.get(outline.key)
        if issue is not None and issue.listings and not issue.is_quiet:
            await notices.add_posts(sorted(new), issue.key, now=now)


class ChatChannel(Receiver):
    """A channel at a chat service."""

    pauses: Sequence[timedelta] = FOR_SIX_HOURS
    takes_twice = False  # a chat shows both

    def __init__(self, list_name: str, channel: Channel, issues: Issues, links: Links) -> None:
        """Take the channel of a list, the closed issues, and what knows the addresses of their pages."""
        self.name = channel.receiver(list_name)
        self._channel, self._issues, self._links = channel, issues, links

    @override
    async def tell(self, notice: Notice) -> None:
        posted = posted_issue(await _issue(self._issues, notice), self._links)
        problem = await asyncio.to_thread(self._post, posted)
        if problem:
            raise NotTakenError(problem)

    def _post(self, issue: PostedIssue) -> str:
        try:
            chat = Chat(self._channel.url)
        except ValueError as error:
            return str(error)
        return chat.post(post_of(issue, longest=chat.longest, size=chat.size, style=chat.style))


async def told_program(issues: Issues, links: Links, notice: Notice) -> Mapping[str, Any]:
    """Return what a program is told of an issue, as JSON values.

    Raises:
        NotTakenError: the issue is not there any more.
    """
    issue = await _issue(issues, notice)
    posted = posted_issue(issue, links)
    return {
        "list": issue.list,
        "day": issue.day.isoformat(),
        "number": issue.number,
        "title": posted.list_title,
        "text": posted.text,
        "titles": list(posted.titles[: 1 + TITLES]),
        "listings": len(posted.titles),
        "url": posted.url,
    }


def posted_issue(issue: Issue, links: Links) -> PostedIssue:
    """Return what a post tells of an issue: what somebody without wishes gets, and nothing of a reader."""
    listings = [one.listing for one in issue.listings[: issue.length]]
    lead = listings[0]
    return PostedIssue(
        list_title=issue.masthead.title,
        day=issue.day,
        titles=[readable_title(one) for one in listings],
        text=readable((lead.summary or lead.abstract)[:_ABSTRACT]),
        url=links.issue(issue.list, issue.day) or lead.url,
    )


async def _issue(issues: Issues, notice: Notice) -> Issue:
    issue = None if notice.issue_key is None else await issues.get(notice.issue_key)
    if issue is None:
        raise NotTakenError("its issue is not in the ledger any more", is_final=True)
    return issue
