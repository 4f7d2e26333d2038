"""More connections than the process has descriptors for: pages answer, and the mail goes out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx2

from tests.e2e.test_ending import ended, heard, served
from tests.e2e.test_serve import due_list, until
from tests.e2e.workplace import NEWSLETTER, Workplace

DESCRIPTORS = 128
HALF = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def hold(port: int) -> tuple[float, bytes]:
    """Send half a request; return when the server closed the connection, and what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began, said = monotonic(), b""
    with suppress(ConnectionError):
        writer.write(HALF)
        while part := await reader.read(1000):
            said += part
    writer.close()
    return monotonic() - began, said


async def test_half_requests_stop_neither_pages_nor_mail_and_are_closed_in_time(workplace: Workplace) -> None:
    url = served(workplace)
    workplace.program = ("/bin/sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$0" "$@"', NEWSLETTER)
    workplace.list_file(["saved_page:../page-*.txt"], hour=f"{datetime.now(UTC) + timedelta(hours=3):%H:%M}")
    process = await workplace.start("serve")
    await heard(process, b"serving")
    port = int(url.rpartition(":")[2])
    crowd = [asyncio.create_task(hold(port)) for _ in range(3 * DESCRIPTORS)]
    await asyncio.sleep(0.5)
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))  # it is found due while they are all there
    async with httpx2.AsyncClient(timeout=30) as client:
        for path in ("/", "/healthz", "/", "/healthz"):
            crowd += [asyncio.create_task(hold(port)) for _ in range(DESCRIPTORS // 4)]
            assert (await client.get(url + path)).status_code == 200
    await until(lambda: len(workplace.mails()) == 1)
    async with asyncio.timeout(40):
        held = await asyncio.gather(*crowd)
    assert max(seconds for seconds, _ in held) < 30
    _, err = await ended(process)
    assert process.returncode == 0
    assert "Too many open files" not in err
