"""Posts in channels beside the mail: once, whoever runs or dies meanwhile, and no mail waits for them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from tests.e2e.test_serve import due_list, free_port, served, until
from tests.e2e.workplace import Workplace
from tests.outgoing.services import Reply, Services, services

TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"
RUN = ("run", "--date", "2026-03-12", "--json")
CHANNELS = '\n[channels]\nteam = "secret:team"\n'


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    with services(tmp_path, monkeypatch) as known:
        yield known


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    """Give a working folder with papers of a day, and the secret of a channel."""
    secrets = {"team": f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}"}
    workplace.environment |= {
        "NEWSLETTER_CHANNELS__SECRETS": json.dumps(secrets),
        "NEWSLETTER_LOG__LEVEL": "debug",
    }
    workplace.list_file(["jsonl:papers-*.jsonl"])
    papers = workplace.folder / "subscribers" / "papers-2026-03-12.jsonl"
    papers.write_text(json.dumps({"title": "Sparse teachers", "abstract": "They teach."}))
    return workplace


def has_channel(workplace: Workplace) -> None:
    """Write the channel into the list file, after its subscribers."""
    path = workplace.folder / "subscribers" / "daily.toml"
    path.write_text(path.read_text().replace("[[subscribers]]", f"{CHANNELS}\n[[subscribers]]"))


@pytest.mark.by_workers
async def test_two_runs_beside_a_slow_service_post_once_and_the_mail_has_left_by_then(
    workplace: Workplace, chats: Services
) -> None:
    has_channel(workplace)
    chats.replies = [Reply(body=b"ok", after=3)]
    mails_by_then: list[int] = []
    chats.when_got = lambda: mails_by_then.append(len(workplace.mails()))

    both = [await workplace.start(*RUN) for _ in range(2)]
    done = [await workplace.end(one) for one in both]
    done += [await workplace.run(*RUN), await workplace.run("status", "--json"), await workplace.run("status")]

    assert len(workplace.mails()) == 1
    assert mails_by_then == [1]
    [post] = chats.got
    assert any("Sparse teachers" in text for text in post.texts)
    assert not any("ann" in text.lower() for text in post.texts)
    assert not any(TOKEN in one.out + one.err for one in done)


@pytest.mark.without_workers
async def test_a_run_that_is_killed_while_it_posts_posts_no_second_time(
    workplace: Workplace, chats: Services
) -> None:
    has_channel(workplace)
    workplace.starts_python = True
    killed = await workplace.start(*RUN)
    chats.when_got = lambda: killed.send_signal(signal.SIGKILL)
    assert await killed.wait() == -signal.SIGKILL

    for _ in range(2):
        assert (await workplace.run(*RUN)).code == 0

    assert (len(chats.got), len(workplace.mails())) == (1, 1)


@pytest.mark.without_workers
async def test_a_service_that_takes_nothing_costs_no_run_and_no_secret_is_told(
    workplace: Workplace, chats: Services
) -> None:
    has_channel(workplace)
    chats.replies = [Reply(403, f"invalid_token {TOKEN}".encode())]

    done = await workplace.run(*RUN)
    [status] = (await workplace.run("status", "--json")).json

    assert (done.code, len(workplace.mails())) == (0, 1)
    assert TOKEN not in done.out + done.err
    [notices] = status["notices"]
    assert notices == {
        "receiver": "channel:daily/team",
        "waiting": 1,
        "given_up": 0,
        "reason": "answered 403: invalid_token …",
    }


@pytest.mark.without_workers
async def test_two_schedulers_post_once_in_a_channel_that_is_added_later(
    workplace: Workplace, chats: Services
) -> None:
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    chats.replies = [Reply(body=b"ok", after=2)]
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(served(workplace))
        await until(lambda: len(workplace.mails()) == 1)
        assert chats.got == []
        has_channel(workplace)
        await until(lambda: len(chats.got) == 1)
        await asyncio.sleep(4)  # some ticks of each
    async with served(workplace):
        await asyncio.sleep(2.5)

    assert (len(chats.got), len(workplace.mails())) == (1, 1)


@pytest.mark.without_workers
async def test_serve_ends_in_time_although_a_service_hangs(workplace: Workplace, chats: Services) -> None:
    workplace.starts_python = True
    due_list(workplace, datetime.now(UTC) - timedelta(minutes=2))
    has_channel(workplace)
    chats.replies = [Reply(after=60)]
    workplace.environment |= {"NEWSLETTER_SCHEDULE__TICK": "1", "NEWSLETTER_WEB__PORT": str(free_port())}
    process = await workplace.start("serve")
    try:
        await until(lambda: len(chats.got) == 1, 120)
        began = monotonic()
        process.terminate()
        await workplace.end(process)
        assert monotonic() - began < 10
    finally:
        if process.returncode is None:
            process.kill()

    assert len(workplace.mails()) == 1
