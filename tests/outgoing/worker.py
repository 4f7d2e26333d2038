"""A process that tells others what is due in a store: `python -m tests.outgoing.worker DATABASE URL MOMENT`.

URL is an endpoint's, or that of a channel at Slack.

Its number stands in the User-Agent of its requests, so that who gets one may kill it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from newsletter.core.channels import Channel
from newsletter.core.notices import Notice
from newsletter.core.tokens import Links
from newsletter.core.webhook_signatures import PREFIX, read_secret
from newsletter.outgoing.channels import ChatChannel
from newsletter.outgoing.receiver import Receiver
from newsletter.outgoing.rounds import Rounds
from newsletter.outgoing.webhooks import Webhook
from newsletter.ports import Clock, Store
from newsletter.sources.http.poster import WebPoster
from newsletter.store import open_store

SECRET = PREFIX + b64encode(bytes(range(32))).decode()
NAME = "webhook:ears"
LINKS = Links("https://papers.example.org", "not a secret, being in a test")


def clock() -> datetime:
    return datetime.now(UTC)


async def as_it_is(_: Notice, data: dict[str, Any]) -> Mapping[str, Any]:
    return data


def poster(*, timeout: float = 60, public_only: bool = False, most: int = 0) -> WebPoster:
    return WebPoster(user_agent=f"process {os.getpid()}", timeout=timeout, public_only=public_only, most=most)


def webhook(url: str, by: WebPoster, *, now: Clock = clock) -> Webhook:
    return Webhook(NAME, url, read_secret(SECRET), by, as_it_is, now)


def chat(store: Store, url: str, by: WebPoster) -> ChatChannel:
    return ChatChannel("daily", Channel("team", url), store, LINKS, lambda _: by)


async def main(database: str, url: str, at: str) -> None:
    store, by = await open_store(database), poster(most=100_000)
    try:
        receivers: list[Receiver] = [chat(store, url, by) if url.startswith("slack:") else webhook(url, by)]
        await Rounds(store.notices, lambda: datetime.fromisoformat(at)).send(receivers, asyncio.Event())
    finally:
        await by.aclose()
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
