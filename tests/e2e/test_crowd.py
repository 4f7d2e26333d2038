"""Five hundred slow clients, more than the process has descriptors for: pages answer, and the mail goes out."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import cycle
from signal import SIGTERM
from time import monotonic

import httpx2

from tests.e2e.test_ending import heard, served
from tests.e2e.test_serve import due_list, until
from tests.e2e.workplace import NEWSLETTER, Workplace

DESCRIPTORS = 128
SLOW = 500
HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"POST /-/signup/daily HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n"
KINDS = {
    b"": b"",  # says nothing
    HEAD: b"",  # half a request
    HEAD + b"X: ": b"x",  # a head that grows by a byte a second (Slowloris)
    FORM + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n": b"x",  # a body that does
    (HEAD + b"\r\n") * 50 + HEAD: b"",  # many requests, and half of another one
}


async def hold(port: int, said: bytes) -> float:
    """Be a slow client; return after how many seconds the server closed the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = monotonic()
    closed = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        writer.write(said)
        while not (await asyncio.wait([closed], timeout=1))[0]:
            writer.write(KINDS[said])
            await writer.drain()
        await closed
    closed.cancel()
    writer.close()
    return monotonic() - began


async def status(client: httpx2.AsyncClient, url: str) -> int:
    """Return the status of a page, asked again where the connection made room for another one, as browsers do."""
    for _ in range(9):
        with suppress(httpx2.ReadError, httpx2.RemoteProtocolError):
            return (await client.get(url)).status_code
    return 0


async def test_slow_clients_stop_neither_pages_nor_mail_and_are_closed_in_time(workplace: Workplace) -> None:
    url = served(workplace)
    workplace.program = ("/bin/sh", "-c", f'ulimit -n {DESCRIPTORS}; exec "$0" "$@"', NEWSLETTER)
    workplace.list_file(["saved_page:../page-*.txt"])
    file = workplace.folder / "subscribers" / "daily.toml"
    day = f"{datetime.now(UTC) + timedelta(days=2):%a}".lower()  # not due before it is changed below
    file.write_text(file.read_text().replace('"mon", "tue", "wed", "thu", "fri"', f'"{day}"'))
    process = await workplace.start("serve")
    await heard(process, b"serving")
    assert process.stderr
    log = asyncio.create_task(
        process.stderr.read()
    )  # thousands of lines: who does not read them stops the program
    port = int(url.rpartition(":")[2])
    kinds = cycle(KINDS)
    crowd = [asyncio.create_task(hold(port, next(kinds))) for _ in range(SLOW)]
    await asyncio.sleep(0.5)
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))  # it is found due while they are all there
    async with httpx2.AsyncClient(timeout=30) as client:
        for path in ("/", "/healthz", "/", "/healthz"):
            crowd += [asyncio.create_task(hold(port, next(kinds))) for _ in range(DESCRIPTORS // 4)]
            assert await status(client, url + path) == 200
    await until(lambda: len(workplace.mails()) == 1)
    async with asyncio.timeout(40):
        held = await asyncio.gather(*crowd)
    assert max(held) < 30
    process.send_signal(SIGTERM)
    async with asyncio.timeout(15):
        err = await log
        await process.wait()
    assert process.returncode == 0
    assert b"Too many open files" not in err
