"""This program as a contender: `python program.py prepare|send …`.

`prepare DATABASE READERS` freezes an issue for so many readers. `send DATABASE PORT CONNECTIONS BATCH [uvloop]
[dkim]` delivers it and prints the seconds and CPU seconds that it took; every intent is durable before its message
is sent, every outcome when it ends.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from dataclasses import replace
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
from newsletter.delivery.service import DeliveryService
from newsletter.delivery.settlement import Rules
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.ports import Message
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.scheduling import loop as runtime
from newsletter.store import open_store

LISTINGS = 25  # of which each reader gets 20, in a message of some 50 KB


async def prepare(database: str, readers: int) -> None:
    """Freeze an issue that is due for so many readers of all choices of topics."""
    store = await open_store(f"sqlite:///{database}")
    now = datetime.now(UTC)
    members = (
        Member(
            email=f"reader{number}@example.org",
            name=f"Reader {number}",
            topics=render.CHOICES[number % len(render.CHOICES)],
        )
        for number in range(readers)
    )
    async with store.subscribers.compare("daily", members) as comparison:
        await comparison.apply(None, now=now)
    of = render.issue(LISTINGS)
    choices = Chooser(of.listings, of.terms)

    def plan(reader: Subscriber, had: frozenset[int]) -> Planned:
        return Planned(due_at=render.MOMENT, choice=choices.of(reader, had), subject=of.subject)

    draft = Draft(terms=of.terms, day=of.day, number=1, candidates=0, listings=())
    await store.issues.freeze(draft, of.subject, plan, now=now)
    await store.close()


async def send(database: str, port: int, connections: int, batch: int, options: list[str]) -> None:
    """Deliver, and print the seconds."""
    store = await open_store(f"sqlite:///{database}")
    signer = render.SIGNER if "dkim" in options else None
    message = render.message(TemplateRenderer(None, render.TEMPLATES), render.issue(LISTINGS), signer)
    relay = RelayConfig(
        host="127.0.0.1",
        port=port,
        security=Security.NONE,
        connections=connections,
        ehlo_name="newsletter.example.org",
    )
    rules = Rules(
        retry=RetryPolicy(),
        uncertain=Uncertain.HOLD,
        clock=lambda: datetime.now(UTC),
        jitter=random.random,
    )
    service = DeliveryService(
        store.outbox,
        [SmtpRelay(relay)],
        rules,
        batch=batch,
        journals=Path(database).parent / "journals",
    )

    async def message_for(_: int) -> Message:
        return message

    (issue_key,) = await store.outbox.open_issues("daily")
    start, cpu = time.perf_counter(), time.process_time()
    async with service:
        report = await service.deliver_chunk(issue_key, message_for)
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    await store.close()
    if replace(report, sent=0) != type(report)():
        raise SystemExit(f"not all was sent: {report}")
    print(elapsed, cpu)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    match sys.argv[1:]:
        case ["prepare", database, readers]:
            asyncio.run(prepare(database, int(readers)))
        case ["send", database, port, connections, batch, *options]:
            work = send(database, int(port), int(connections), int(batch), options)
            runtime.run(work, fast="uvloop" in options)


if __name__ == "__main__":
    main()
