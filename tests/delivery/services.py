"""Relays and delivery services for tests: loopback, quick to give up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from newsletter.core.delivery import Outcome, RetryPolicy, Uncertain
from newsletter.core.relay import Security
from newsletter.delivery.limits.quota import RelayQuota
from newsletter.delivery.relay import Relay
from newsletter.delivery.service import DeliveryService
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.delivery.smtp.session import Letter, Session
from newsletter.ports import AccessTokens, ChunkReport, Message, Outbox, Progress
from tests.delivery.fakes import ISSUE, NOW, FakeOutbox
from tests.smtp_server import SmtpServer


def relay_to(
    server: SmtpServer,
    *,
    tokens: AccessTokens | None = None,
    quota: RelayQuota | None = None,
    **changes: Any,
) -> SmtpRelay:
    return relay_at(server.host, server.port, tokens=tokens, quota=quota, **changes)


def relay_at(
    host: str, port: int, *, tokens: AccessTokens | None = None, quota: RelayQuota | None = None, **changes: Any
) -> SmtpRelay:
    values: dict[str, Any] = {
        "host": host,
        "port": port,
        "security": Security.NONE,
        "ehlo_name": "newsletter.example.org",
        "timeout": 5.0,
        "final_timeout": 5.0,
        "connections": 2,
    }
    return SmtpRelay(RelayConfig(**values | changes), tokens=tokens, quota=quota)


def service(
    outbox: FakeOutbox | Outbox, *relays: Relay, uncertain: Uncertain = Uncertain.RESEND, **options: Any
) -> DeliveryService:
    rules = Rules(
        retry=RetryPolicy(),
        uncertain=uncertain,
        clock=options.pop("clock", lambda: NOW),
        jitter=lambda: 0.5,
        pauses=options.pop("pauses", (0.01, 0.01)),
        grace=options.pop("grace", 6.0),
        idle=options.pop("idle", 10.0),
    )
    return DeliveryService(cast("Outbox", outbox), relays, rules, **{"batch": 100} | options)


class Process:
    """A service that is closed whenever nothing is delivered, as at the end of `newsletter run`."""

    def __init__(self, service: DeliveryService) -> None:
        self._service = service
        self._at_work = 0

    async def deliver(
        self,
        message_for: Callable[[int], Awaitable[Message]],
        *,
        issue_key: int = ISSUE,
        most: int | None = None,
        progress: Progress | None = None,
        stop: asyncio.Event | None = None,
    ) -> ChunkReport:
        self._at_work += 1
        try:
            return await self._service.deliver_chunk(
                issue_key, message_for, most=most, progress=progress, stop=stop
            )
        finally:
            self._at_work -= 1
            if not self._at_work:
                await self._service.close()


def process(outbox: FakeOutbox, *relays: Relay, **options: Any) -> Process:
    return Process(service(outbox, *relays, **options))


Make = Callable[..., Process]


async def send(session: Session, sender: str, recipient: str, message: bytes) -> Outcome:
    return await session.hand_over(Letter(sender, recipient, (message,)))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
