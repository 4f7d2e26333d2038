"""Several `newsletter web` on PostgreSQL behind a balancer: what one of them says, the others know."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from shutil import copy, copytree

import httpx2

from tests.e2e.test_serve import free_port, until
from tests.e2e.test_signup import open_list, to
from tests.e2e.workplace import Workplace, part

TOKEN = "a token that nobody guesses"
PER_CLIENT = 3


@asynccontextmanager
async def web(workplace: Workplace, port: int) -> AsyncIterator[None]:
    """Run `newsletter web` for as long as the context lasts."""
    process = await workplace.start("web", "--port", str(port))
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            while b"serving" not in (line := await process.stderr.readline()):
                assert line, "it has ended"
        yield
    finally:
        process.terminate()
        await process.communicate()


@asynccontextmanager
async def balanced(port: int, behind: Sequence[int]) -> AsyncIterator[Counter[int]]:
    """Pass connections on to one port after the other; gives how many each of them got."""
    turns, got = count(), Counter[int]()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen = behind[next(turns) % len(behind)]
        got[chosen] += 1
        from_behind, to_behind = await asyncio.open_connection("127.0.0.1", chosen)

        async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while piece := await source.read(65536):
                target.write(piece)
            target.close()

        await asyncio.gather(pump(reader, to_behind), pump(from_behind, writer), return_exceptions=True)

    async with await asyncio.start_server(pass_on, "127.0.0.1", port):
        yield got


def machine(first: Workplace, name: str) -> Workplace:
    """Return another machine with the same files and settings, and a state folder of its own."""
    folder = first.folder.with_name(name)
    folder.mkdir()
    copytree(first.folder / "subscribers", folder / "subscribers")
    return Workplace(folder, first.inbox, first.port, first.environment)


async def test_what_one_of_two_webs_began_the_other_goes_on_with_and_limits_hold_over_both(
    workplace: Workplace, postgres_url: str
) -> None:
    port, *behind = (free_port() for _ in range(3))
    open_list(workplace, datetime.now(UTC) + timedelta(hours=3))
    workplace.environment |= {
        "NEWSLETTER_DATABASE__URL": postgres_url,
        "NEWSLETTER_WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_WEB__ADMIN_TOKEN": TOKEN,
        "NEWSLETTER_SIGNUP__PER_CLIENT": str(PER_CLIENT),
        "NEWSLETTER_LOG__LEVEL": "info",
    }
    other = machine(workplace, "other")
    assert (await workplace.run("status")).code == 0
    refused = await other.run("status")  # it has made a key of its own
    assert (refused.code, "NEWSLETTER_WEB__SECRET_KEY" in refused.err) == (78, True)
    copy(workplace.folder / "var" / "secret_key", other.folder / "var" / "secret_key")

    async with AsyncExitStack() as running:
        for one, at in zip((workplace, other), behind, strict=True):
            await running.enter_async_context(web(one, at))
        got = await running.enter_async_context(balanced(port, behind))
        url = f"http://127.0.0.1:{port}"
        limits = httpx2.Limits(max_keepalive_connections=0)
        client = await running.enter_async_context(
            httpx2.AsyncClient(trust_env=False, limits=limits, base_url=url)
        )

        async def ask(number: int) -> int:
            data = {"email": f"reader{number}@example.org"}
            answer = await client.post("/-/signup/daily", data=data, headers={"X-Forwarded-For": "8.8.8.8"})
            return answer.status_code

        assert [await ask(number) for number in range(PER_CLIENT + 1)] == [*[200] * PER_CLIENT, 429]
        await workplace.run("run")
        readers = [f"reader{number}@example.org" for number in range(PER_CLIENT)]
        await until(lambda: all(to(workplace, reader) for reader in readers))  # workers may send them
        for reader in readers:
            [mail] = to(workplace, reader)
            [link] = re.findall(r"http\S+/-/confirm/\S+", part(mail, "plain"))
            assert "You are in" in (await client.post(link)).text

        assert (await client.post("/-/admin/sign-in", data={"token": TOKEN})).status_code == 303
        assert [(await client.get("/-/admin/")).status_code for _ in behind] == [200, 200]
        assert min(got.values()) >= PER_CLIENT
        assert set(got) == set(behind)
