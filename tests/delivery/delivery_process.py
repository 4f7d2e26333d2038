"""A process that delivers plain messages by orders: `python -m tests.delivery.delivery_process URL PORT …`.

It is as `newsletter.composition.delivery_process`, with a relay and messages of the tests.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from newsletter.core.delivery import Uncertain
from newsletter.core.relay import Security
from newsletter.delivery.processes.at_work import connect_pipes, log_by, obey
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.store import open_store
from tests.delivery.fakes import message_for
from tests.delivery.services import service


async def _work(url: str, port: str, connections: str, journals: str) -> None:
    orders, say = await connect_pipes(os.fdopen(0, "rb", buffering=0), os.fdopen(1, "wb", buffering=0))
    log_by(say, logging.INFO)
    store = await open_store(url)
    relay = RelayConfig(
        host="127.0.0.1",
        port=int(port),
        security=Security.NONE,
        connections=int(connections),
        ehlo_name="newsletter.example.org",
    )
    folder = Path(journals) if journals else None
    async with service(store.outbox, SmtpRelay(relay), journals=folder, uncertain=Uncertain.HOLD) as at_work:
        await obey(at_work, message_for, orders, say)
    await store.close()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    asyncio.run(_work(*sys.argv[1:]))
