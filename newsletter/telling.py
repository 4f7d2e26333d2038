"""The composition of what others are told: webhooks. It stands above the root.

What it is made of is imported in its functions: many runs have nobody to tell.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from newsletter.bootstrap import utc_now
from newsletter.settings.webhooks import endpoints_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from newsletter.bootstrap import Program
    from newsletter.core.notices import Notice
    from newsletter.outgoing.receiver import Receiver
    from newsletter.outgoing.webhooks import Completes
    from newsletter.ports import Poster
    from newsletter.readers.background import Background

_SECONDS_OF_A_RUN = 20.0


def in_the_background(program: Program) -> Background:
    """Return what tells others, when it is asked to."""
    from newsletter.readers.background import Background

    receivers = _webhooks(program)

    async def tell(stop: asyncio.Event) -> bool:
        await _tell(program, receivers, stop)
        return True  # the ledger knows when what was left is to be tried again

    return Background("notices to others", tell)


async def tell_now(program: Program, stop: asyncio.Event) -> None:
    """Tell others what they are to be told by now; what takes more than some seconds waits for the next run."""
    receivers = _webhooks(program)
    if not receivers:
        return
    ending = asyncio.Event()
    enough = asyncio.create_task(_end(ending, stop))
    try:
        await _tell(program, receivers, ending)
    finally:
        enough.cancel()


async def _end(ending: asyncio.Event, stop: asyncio.Event) -> None:
    """Set an event when another is set, or some seconds have passed."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _SECONDS_OF_A_RUN)
    ending.set()


async def _tell(program: Program, receivers: Sequence[Receiver], stop: asyncio.Event) -> None:
    if not receivers:
        return
    from newsletter.outgoing.rounds import Rounds

    await Rounds(program.store.notices, utc_now).send(receivers, stop)


def _webhooks(program: Program) -> Sequence[Receiver]:
    """Return the webhooks of the settings."""
    endpoints = endpoints_of(program.settings.webhooks)
    if not endpoints:
        return ()
    from newsletter.outgoing.webhooks import Webhook

    poster = _poster(program)
    return [
        Webhook(
            one.name, one.url, one.key, poster, _completed(program, with_addresses=one.with_addresses), utc_now
        )
        for one in endpoints
    ]


def _poster(program: Program) -> Poster:
    from newsletter.sources.http.poster import WebPoster

    settings = program.settings
    poster = WebPoster(
        user_agent=settings.http.user_agent,
        timeout=settings.webhooks.timeout,
        public_only=not settings.webhooks.allow_private,
    )
    program.at_end(poster.aclose)
    return poster


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
