"""Relay pools and dispatchers for tests: loopback, quick to give up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from newsletter.core.delivery import RetryPolicy, Uncertain
from newsletter.delivery.chunk import Rules
from newsletter.delivery.service import Dispatcher
from newsletter.delivery.smtp.relay import RelayConfig, Security, SmtpRelayPool
from newsletter.delivery.smtp.session import Pool
from newsletter.ports import Outbox
from tests.delivery.fakes import NOW, FakeOutbox
from tests.smtp_server import SmtpServer

Make = Callable[..., Dispatcher]


def pool(server: SmtpServer, **changes: Any) -> SmtpRelayPool:
    values: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "security": Security.NONE,
        "ehlo_name": "newsletter.example.org",
        "timeout": 5.0,
        "final_timeout": 5.0,
        "connections": 2,
    }
    return SmtpRelayPool(RelayConfig(**values | changes))


def dispatcher(
    outbox: FakeOutbox, *pools: Pool, uncertain: Uncertain = Uncertain.RESEND, **options: Any
) -> Dispatcher:
    rules = Rules(
        retry=RetryPolicy(),
        uncertain=uncertain,
        clock=options.pop("clock", lambda: NOW),
        jitter=lambda: 0.5,
        pauses=options.pop("pauses", (0.01, 0.01)),
    )
    return Dispatcher(cast("Outbox", outbox), pools, rules, **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
