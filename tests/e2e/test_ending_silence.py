"""`serve` is gone ten seconds after a signal although nobody answers of those whom it is telling something."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta

from tests.e2e.test_ending import ended, served
from tests.e2e.test_serve import due_list
from tests.e2e.workplace import Workplace

ASKED = {"/hook", "/alarm"}  # a webhook, and that of alarms
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


async def test_serve_ends_while_webhook_and_alarm_are_not_answered(workplace: Workplace) -> None:
    asked: set[str] = set()
    news, over = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found = re.match(rb"\w+ (\S+)", await reader.readline())
        asked.add(found[1].decode() if found else "?")
        news.set()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    (workplace.folder / "subscribers" / "wrong.toml").write_text("zone = 1\n")
    served(workplace)
    workplace.environment |= {
        "NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE": "true",
        "NEWSLETTER_WEBHOOKS__ENDPOINTS": json.dumps([{"url": f"{url}/hook", "secret": SECRET}]),
        "NEWSLETTER_ALARM__WEBHOOK": f"{url}/alarm",
    }
    process = await workplace.start("serve")
    async with asyncio.timeout(60):
        while not asked >= ASKED:
            news.clear()
            await news.wait()
    await ended(process)
    assert process.returncode == 0
    over.set()
    server.close()
