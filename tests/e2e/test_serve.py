"""`newsletter serve`: by itself, once, and gone when asked."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import httpx2

from tests.e2e.test_run import save_page
from tests.e2e.workplace import Workplace, part

ALL_DAYS = '"mon", "tue", "wed", "thu", "fri", "sat", "sun"'


async def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not happened():  # noqa: ASYNC110 (another process makes it happen)
            await asyncio.sleep(0.05)


def due_list(workplace: Workplace, hour: datetime, sources: Sequence[str] = ("saved_page:../page-*.txt",)) -> None:
    save_page(workplace, f"{hour:%Y-%m-%d}")  # first: who serves already may find the list due at once
    workplace.list_file([*sources], hour=f"{hour:%H:%M}")
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace('"mon", "tue", "wed", "thu", "fri"', ALL_DAYS))


def free_port() -> int:
    """Return a port of loopback on which nothing listens, and which the system gives to nobody who connects."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)  # the system's own begin at 32,768
        with socket.socket() as taken, suppress(OSError):
            taken.bind(("127.0.0.1", port))
            return port


@asynccontextmanager
async def served(workplace: Workplace, command: str = "serve") -> AsyncIterator[str]:
    """Run `newsletter serve`, or `web`, for as long as the context lasts; gives the URL of its pages."""
    port = free_port()
    workplace.environment |= {
        "NEWSLETTER_SCHEDULE__TICK": "1",
        "NEWSLETTER_WEB__PORT": str(port),
        "NEWSLETTER_WEB__PUBLIC_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_LOG__LEVEL": "info",
    }
    process = await workplace.start(command)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            said = b""
            while b"serving" not in (line := await process.stderr.readline()):
                said += line
                assert line, f"it has ended: {said.decode()}"
        yield workplace.environment["NEWSLETTER_WEB__PUBLIC_URL"]
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.communicate()
    assert process.returncode == 0


async def test_a_missed_hour_is_caught_up_once_and_a_restart_sends_nothing(workplace: Workplace) -> None:
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    async with served(workplace) as url:
        await until(lambda: len(workplace.mails()) == 1)
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"{url}/healthz")).json() == {"status": "ok"}
    async with served(workplace):
        await asyncio.sleep(2.5)  # two ticks
    assert len(workplace.mails()) == 1


async def test_who_leaves_by_the_mails_link_stays_out_although_the_file_names_him(workplace: Workplace) -> None:
    hour = datetime.now(UTC) - timedelta(minutes=2)
    due_list(workplace, hour)
    async with served(workplace):
        await until(lambda: len(workplace.mails()) == 1)
        found = re.search(r"<(http[^>]+)>", workplace.mails()[0]["List-Unsubscribe"])
        assert found is not None
        async with httpx2.AsyncClient() as client:
            page = await client.get(found[1])
            assert page.status_code == 200
            assert "<form" in page.text
            left = await client.post(found[1], data={"List-Unsubscribe": "One-Click"})
            assert left.status_code == 200
    tomorrow = f"{hour + timedelta(days=1):%Y-%m-%d}"
    save_page(workplace, tomorrow, "Subscribe\nA Paper of Tomorrow\nIt says what it will have said.\n")
    done = await workplace.run("run", "--date", tomorrow, "--json")
    assert done.json["status"] == "nothing_new"
    assert done.json["deliveries"]["suppressed"] == 1
    assert done.json["deliveries"]["sent"] == 0
    assert len(workplace.mails()) == 1


async def test_who_moves_gets_the_next_mails_at_the_new_address_although_the_file_names_the_old_one(
    workplace: Workplace,
) -> None:
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    async with served(workplace), httpx2.AsyncClient() as client:
        await until(lambda: len(workplace.mails()) == 1)
        preferences = re.search(r"http\S+/-/preferences/[\w-]+", part(workplace.mails()[0], "plain"))
        assert preferences is not None
        await client.post(f"{preferences[0]}/address", data={"new_address": "ann@lab.example"})
        await until(lambda: len(workplace.mails()) == 2)
        [asked] = [mail for mail in workplace.mails() if mail["To"] == "Ann <ann@lab.example>"]
        confirm = re.search(r"http\S+/-/new-address/[\w-]+", part(asked, "plain"))
        assert confirm is not None
        assert "You have moved" in (await client.post(confirm[0])).text
        await until(lambda: len(workplace.mails()) == 3)
    assert [mail["Subject"] for mail in workplace.mails() if "goes to your new address" in mail["Subject"]]
    shown = await workplace.run("subscribers", "list")
    assert "ann@lab.example" in shown.out
    planned = await workplace.run("subscribers", "plan")
    assert "moved to another address" in planned.out


async def test_what_comes_back_is_read_meanwhile_and_webhooks_answer_that_are_set_up(workplace: Workplace) -> None:
    due_list(workplace, datetime.now(UTC) + timedelta(hours=2))
    box = workplace.folder / "bounces"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1").write_text("From: people@example.org\nSubject: Hello\n\nHi\n")
    workplace.environment |= {
        "NEWSLETTER_INBOUND__MAILDIR": "bounces",
        "NEWSLETTER_INBOUND__WEBHOOK_GENERIC_SECRET": "a secret of our own program",
    }
    async with served(workplace) as url:
        await until((box / "cur" / "1:2,S").exists)
        async with httpx2.AsyncClient() as client:
            answers = [await client.post(f"{url}/-/hooks/{name}", content=b"{}") for name in ("generic", "ses")]
            assert [answer.status_code for answer in answers] == [403, 404]
    [row] = (await workplace.run("status", "--json")).json
    assert row["inbound"] == {"processed": 0, "forged": 1, "unknown": 1, "outcomes": {}}
