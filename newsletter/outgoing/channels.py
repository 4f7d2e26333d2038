"""Posts of issues in the channels of their lists: each once, and never before the mail's turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import override

from newsletter.core.channels import Channel
from newsletter.core.halt import Halt
from newsletter.core.issue import Issue
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import NewsletterList
from newsletter.core.notices import FOR_SIX_HOURS, Notice
from newsletter.core.posts import TITLES, PostedIssue, post_of
from newsletter.core.text import one_line
from newsletter.core.tokens import Links
from newsletter.outgoing.chat import Chat
from newsletter.outgoing.plugin_requests import Carry
from newsletter.outgoing.receiver import NotTakenError, Receiver
from newsletter.ports import Poster, Store
from newsletter.ports.posting import Answer
from newsletter.render.issue.citation import readable_title
from newsletter.render.issue.language import language
from newsletter.render.issue.mathtext import readable
from newsletter.render.issue.words import label_of_model

# An issue that was closed before is no news: a new channel begins with the next one.
_NEWS_FOR = timedelta(days=1)
_ABSTRACT = 1000  # characters of it that are looked at

# Returns what posts to an address.
Posters = Callable[[str], Poster]


async def note_posts(lists: Iterable[NewsletterList], store: Store, *, now: datetime) -> None:
    """Write a notice of each list's newest issue for each of its channels; safe to repeat.

    A quiet issue, which brings nothing, is not posted, nor is one that is paused or cancelled, nor the weekly
    edition of a daily list.
    """
    for list_ in lists:
        receivers = {channel.receiver(list_.name) for channel in list_.channels}
        outline = await store.issues.outline(list_.name) if receivers else None
        if outline is None or now - outline.frozen_at > _NEWS_FOR:
            continue
        if not (new := receivers - await store.notices.posted(outline.key)):
            continue
        issue = await store.issues.get(outline.key)
        if issue is None or not issue.listings or issue.is_quiet or (await store.halts.of(issue.key)).halt:
            continue
        await store.notices.add_posts(sorted(new), issue.key, now=now)


class ChatChannel(Receiver):
    """A channel at a chat service."""

    pauses: Sequence[timedelta] = FOR_SIX_HOURS
    takes_twice = False  # a chat shows both

    def __init__(self, list_name: str, channel: Channel, store: Store, links: Links, posters: Posters) -> None:
        """Take the channel of a list, and what is needed to post.

        Args:
            list_name: the list's.
            channel: one of its channels.
            store: has the closed issues.
            links: knows the addresses of their pages.
            posters: make the requests.
        """
        self.name = channel.receiver(list_name)
        self._channel, self._store, self._links, self._posters = channel, store, links, posters

    @override
    async def tell(self, notice: Notice) -> None:
        posted = posted_issue(await _issue(self._store, notice), self._links)
        loop = asyncio.get_running_loop()

        def carry(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
            return asyncio.run_coroutine_threadsafe(self._posters(url).post(url, body, headers), loop).result()

        await asyncio.to_thread(self._post, posted, carry)

    def _post(self, issue: PostedIssue, carry: Carry) -> None:
        try:
            chat = Chat(self._channel.url)
        except ValueError as error:
            raise NotTakenError(str(error)) from error
        chat.post(post_of(issue, longest=chat.longest, size=chat.size, style=chat.style), carry)


async def told_program(store: Store, links: Links, notice: Notice) -> Mapping[str, Any]:
    """Return what a program is told of an issue, as JSON values.

    Raises:
        NotTakenError: the issue is not there any more, or is not to be posted.
    """
    issue = await _issue(store, notice)
    posted = posted_issue(issue, links)
    return {
        "list": issue.list,
        "day": issue.day.isoformat(),
        "number": issue.number,
        "title": posted.list_title,
        "text": _plain(issue.listings[0].listing.summary or issue.listings[0].listing.abstract),
        "machine_summary": _machine_summary(issue.listings[0].machine),
        "titles": list(posted.titles[: 1 + TITLES]),
        "listings": len(posted.titles),
        "url": posted.url,
    }


def posted_issue(issue: Issue, links: Links) -> PostedIssue:
    """Return what a post tells of an issue: what somebody without wishes gets, and nothing of a reader."""
    listings = [one.listing for one in issue.listings[: issue.length]]
    lead, machine = listings[0], issue.listings[0].machine
    return PostedIssue(
        list_title=issue.masthead.title,
        day=issue.day,
        titles=[readable_title(one) for one in listings],
        text=_plain(machine.text if machine else lead.summary or lead.abstract),
        label=label_of_model(language(issue.masthead.language), machine.model) if machine else "",
        url=links.issue(issue.list, issue.day) or lead.url,
    )


def _machine_summary(machine: MachineSummary | None) -> Mapping[str, Any] | None:
    """Return what a model wrote of the first paper, as JSON values."""
    if machine is None:
        return None
    return {
        "text": _plain(machine.text),
        "title": _plain(machine.title),
        "language": machine.language,
        "model": one_line(machine.model),
        "reviewed": False,
    }


def _plain(text: str) -> str:
    return readable(text[:_ABSTRACT])


async def _issue(store: Store, notice: Notice) -> Issue:
    """Return the issue of a post; what the operator says of it counts until the post is made."""
    issue = None if notice.issue_key is None else await store.issues.get(notice.issue_key)
    if issue is None:
        raise NotTakenError("its issue is not in the ledger any more", is_final=True)
    halt = (await store.halts.of(issue.key)).halt
    if halt is not None:
        raise NotTakenError(f"its issue is {halt.value}", is_final=halt is Halt.CANCELLED)
    return issue
