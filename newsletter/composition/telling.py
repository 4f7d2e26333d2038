"""The composition of what others are told: webhooks and channels. It stands above the root.

What it is made of is imported in its functions: many runs have nobody to tell.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from newsletter.bootstrap import utc_now
from newsletter.core.errors import NewsletterError
from newsletter.settings.webhooks import endpoints_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from newsletter.bootstrap import Program
    from newsletter.core.errors import Mistake
    from newsletter.core.newsletter_list import Masthead, NewsletterList
    from newsletter.core.notices import Notice
    from newsletter.lists.files import ListFiles
    from newsletter.outgoing.receiver import Receiver
    from newsletter.outgoing.webhooks import Completes
    from newsletter.ports import Poster
    from newsletter.readers.background import Background

_SECONDS_OF_A_RUN = 20.0
_SECONDS_OF_A_POST = 30.0  # an answer that comes later is none, and the post is not made again
_SECONDS_TO_CONNECT = 10.0
_ANSWER_OF_A_CHAT = 256 * 1024  # bytes that are read of it: Slack and Telegram repeat the post


def in_the_background(program: Program) -> Background:
    """Return what tells others, when it is asked to."""
    from newsletter.readers.background import Background

    telling = _Telling(program)

    async def tell(stop: asyncio.Event) -> bool:
        await telling.tell(await asyncio.to_thread(_lists, program), stop)
        return True  # the ledger knows when what was left is to be tried again

    return Background("notices to others", tell)


async def tell_now(program: Program, stop: asyncio.Event) -> None:
    """Tell others what they are to be told by now; what takes more than some seconds waits for the next run."""
    ending = asyncio.Event()
    enough = asyncio.create_task(_end(ending, stop))
    try:
        await _Telling(program).tell(_lists(program), ending)
    finally:
        enough.cancel()


async def tell_operators(program: Program, stop: asyncio.Event) -> None:
    """Tell operators alone what they are to be told by now: what others are told may not be right any more.

    Never raises: it comes on top of other trouble.
    """
    ending = asyncio.Event()
    enough = asyncio.create_task(_end(ending, stop))
    try:
        await _Telling(program).tell_operators(ending)
    except NewsletterError as error:
        import structlog

        structlog.get_logger(__name__).warning("operators_not_told", reason=str(error))
    finally:
        enough.cancel()


async def tell_without_ledger(program: Program, notice: Notice) -> bool:
    """Tell operators of an alarm at once, as the ledger cannot keep it; return whether anybody was told."""
    from newsletter.outgoing.receiver import NotTakenError

    is_told = False
    for receiver in _Telling(program).operators():
        try:
            await receiver.tell(notice)
        except NotTakenError as error:
            import structlog

            structlog.get_logger(__name__).warning("notice_failed", receiver=receiver.name, reason=str(error))
        else:
            is_told = True
    return is_told


def channel_mistakes(lists: ListFiles) -> list[Mistake]:
    """Return what is wrong with channels whose URLs look right: apprise is missing, or cannot read them."""
    from newsletter.lists.document import Document
    from newsletter.outgoing.chat import Chat

    mistakes = []
    for name, file in lists.load().items():
        for channel in file.list.channels:
            try:
                if not channel.key:
                    Chat(channel.url)
            except ValueError as error:
                document = Document(lists.folder / f"{name}.toml")
                mistakes.append(document.mistake(("channels", channel.name), f"channels.{channel.name}: {error}"))
    return mistakes


def _lists(program: Program) -> list[NewsletterList]:
    return [file.list for file in program.lists.read().right.values()]


async def _end(ending: asyncio.Event, stop: asyncio.Event) -> None:
    """Set an event when another is set, or some seconds have passed."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _SECONDS_OF_A_RUN)
    ending.set()


class _Telling:
    """Tells operators, the webhooks of the settings, and the channels of lists."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._endpoints = endpoints_of(program.settings.webhooks)

    async def tell(self, lists: Sequence[NewsletterList], stop: asyncio.Event) -> None:
        """Send what is due, until all is sent or `stop` is set."""
        has_channels = any(list_.channels for list_ in lists)
        if not (self._endpoints or has_channels or self._program.settings.alarm.receivers):
            return
        from newsletter.outgoing.channels import note_posts
        from newsletter.outgoing.rounds import Rounds

        store = self._program.store
        if has_channels:
            await note_posts(lists, store, now=utc_now())
        channels = (one for list_ in lists for one in self._channels(list_))
        receivers = [*self.operators(), *self._webhooks(), *channels]
        await Rounds(store.notices, utc_now).send(receivers, stop)

    async def tell_operators(self, stop: asyncio.Event) -> None:
        """Send operators what is due, until all is sent or `stop` is set."""
        from newsletter.outgoing.rounds import Rounds

        await Rounds(self._program.store.notices, utc_now).send(self.operators(), stop)

    def operators(self) -> Iterator[Receiver]:
        """Yield who is told of alarms."""
        from newsletter.core.alarms import WEBHOOK
        from newsletter.core.webhook_signatures import read_secret
        from newsletter.outgoing.alarms import PAUSES, AlarmChat
        from newsletter.outgoing.webhooks import Webhook

        settings = self._program.settings.alarm
        url, secret = settings.webhook.get_secret_value(), settings.webhook_secret.get_secret_value()
        if settings.to:
            yield self._program.alarm_mail(self._masthead_of)
        if settings.posts_to_web:
            key = read_secret(secret) if secret else None
            yield Webhook(WEBHOOK, url, key, self._own_poster, _as_it_is, utc_now, pauses=PAUSES)
        elif url:
            yield AlarmChat(url)

    async def _masthead_of(self, list_name: str) -> Masthead | None:
        """Return the masthead of a list, or that of another one where there is none of that name."""
        from newsletter.core.newsletter_list import WEEKLY_EDITION

        files = (await asyncio.to_thread(self._program.lists.read)).right
        name = list_name.removesuffix(WEEKLY_EDITION)
        if name in files:
            return files[name].list.masthead
        outline = await self._program.store.issues.outline(list_name)
        if outline is not None:
            return outline.masthead
        return next(iter(files.values())).list.masthead if files else None

    def _webhooks(self) -> Iterator[Receiver]:
        from newsletter.outgoing.webhooks import Webhook

        for one in self._endpoints:
            complete = _completed(self._program, with_addresses=one.with_addresses)
            yield Webhook(one.name, one.url, one.key, self._poster, complete, utc_now)

    def _channels(self, list_: NewsletterList) -> Iterator[Receiver]:
        from newsletter.core.notices import FOR_SIX_HOURS
        from newsletter.outgoing.channels import ChatChannel, told_program
        from newsletter.outgoing.webhooks import Webhook

        store, links = self._program.store, self._program.links

        async def complete(notice: Notice, _: dict[str, Any]) -> Mapping[str, Any]:
            return await told_program(store, links, notice)

        for one in list_.channels:
            name = one.receiver(list_.name)
            if one.key:
                yield Webhook(name, one.url, one.key, self._poster, complete, utc_now, pauses=FOR_SIX_HOURS)
            else:
                yield ChatChannel(list_.name, one, store, links, self._chat_poster)

    @cached_property
    def _poster(self) -> Poster:
        return self._new_poster(public_only=not self._program.settings.webhooks.allow_private)

    def _chat_poster(self, url: str) -> Poster:
        """Return what posts to a chat: an address that is none of the services' own must be public."""
        from newsletter.core.channels import is_of_a_service

        return self._service_poster if is_of_a_service(url) else self._chat_server_poster

    @cached_property
    def _service_poster(self) -> Poster:
        return self._new_chat_poster(public_only=False)

    @cached_property
    def _chat_server_poster(self) -> Poster:
        return self._new_chat_poster(public_only=not self._program.settings.webhooks.allow_private)

    @cached_property
    def _own_poster(self) -> Poster:
        """What posts to the operator's own address, which may be anywhere."""
        return self._new_poster(public_only=False)

    def _new_chat_poster(self, *, public_only: bool) -> Poster:
        from newsletter.sources.http.poster import WebPoster

        poster = WebPoster(
            user_agent=self._program.settings.http.user_agent,
            timeout=_SECONDS_OF_A_POST,
            public_only=public_only,
            most=_ANSWER_OF_A_CHAT,
            connect_timeout=_SECONDS_TO_CONNECT,
        )
        self._program.at_end(poster.aclose)
        return poster

    def _new_poster(self, *, public_only: bool) -> Poster:
        from newsletter.sources.http.poster import WebPoster

        settings = self._program.settings
        poster = WebPoster(
            user_agent=settings.http.user_agent, timeout=settings.webhooks.timeout, public_only=public_only
        )
        self._program.at_end(poster.aclose)
        return poster


async def _as_it_is(_: Notice, data: dict[str, Any]) -> Mapping[str, Any]:
    return data


def _completed(program: Program, *, with_addresses: bool) -> Completes:
    """Return what adds the address of an issue's page to what is told, and that of a reader if it may."""

    async def complete(notice: Notice, data: dict[str, Any]) -> Mapping[str, Any]:
        if notice.issue_key is not None:
            return data | {"url": program.links.issue(data["list"], date.fromisoformat(data["day"]))}
        if with_addresses and notice.subscriber_key is not None:
            reader = await program.store.subscribers.by_key(notice.subscriber_key)
            return data | {"email": reader.email if reader else None}
        return data

    return complete
