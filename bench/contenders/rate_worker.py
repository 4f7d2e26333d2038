"""A process that sends at a rate, and may be one of several: `python rate_worker.py prepare|send …`.

`prepare URL READERS` freezes an issue for so many readers of one domain. `send URL PORT CONNECTIONS LIMITED RATE`
delivers it until it is terminated; `LIMITED` says whose rate it is, `relay` or `domain`.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import structlog

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import render

from newsletter.core.choosing import Chooser
from newsletter.core.delivery import Planned, RetryPolicy, Uncertain
from newsletter.core.issue import Draft
from newsletter.core.relay import Security
from newsletter.core.subscriber import Member, Subscriber
from newsletter.delivery.limits.domains import DomainLimits, Limit
from newsletter.delivery.service import DeliveryService
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.ports import Message
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.store import open_store, sqlite_file, upgrade

LISTINGS = 5
BATCH, CHUNK = 50, 200  # so small that all processes have something to send


async def prepare(url: str, readers: int) -> None:
    """Freeze an issue that is due for so many readers."""
    await upgrade(url)
    store = await open_store(url)
    now = datetime.now(UTC)
    members = (Member(email=f"reader{number}@example.org") for number in range(readers))
    async with store.subscribers.compare("daily", members) as comparison:
        await comparison.apply(None, now=now)
    of = render.issue(LISTINGS)
    choices = Chooser(of.listings, of.terms)

    def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
        return Planned(due_at=render.MOMENT, choice=choices.of(reader, had), subject=of.subject)

    draft = Draft(terms=of.terms, day=of.day, number=1, candidates=0, listings=())
    await store.issues.freeze(draft, of.subject, plan, now=now)
    await store.close()


async def send(url: str, port: int, connections: int, limited: str, rate: float) -> None:
    """Deliver until this process is terminated."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store = await open_store(url)
    message = render.message(TemplateRenderer(None, render.TEMPLATES), render.issue(LISTINGS), None)
    relay = RelayConfig(
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        connections=connections,
        rate=rate if limited == "relay" else 0.0,
        ehlo_name=f"process{os.getpid()}.example.org",
    )
    rules = Rules(
        retry=RetryPolicy(),
        uncertain=Uncertain.HOLD,
        clock=lambda: datetime.now(UTC),
        jitter=random.random,
    )
    ledger = sqlite_file(url)
    service = DeliveryService(
        store.outbox,
        [SmtpRelay(relay)],
        rules,
        batch=BATCH,
        journals=ledger and ledger.with_name("journals"),
        limits=DomainLimits(Limit(rate=rate if limited == "domain" else 0.0)),
        slow_downs=store.slow_downs,
        rates=store.rates,
    )

    async def message_for(_: int) -> Message:
        return message

    (issue_key,) = await store.outbox.open_issues("daily")
    async with service:
        while not stop.is_set():
            report = await service.deliver_chunk(issue_key, message_for, most=CHUNK, stop=stop)
            if not (report.settled or stop.is_set()):
                raise SystemExit(f"nothing more is to be sent: {report}")
    await store.close()


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    match sys.argv[1:]:
        case ["prepare", url, readers]:
            asyncio.run(prepare(url, int(readers)))
        case ["send", url, port, connections, limited, rate]:
            asyncio.run(send(url, int(port), int(connections), limited, float(rate)))


if __name__ == "__main__":
    main()
