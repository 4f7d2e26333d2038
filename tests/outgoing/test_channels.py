"""Posts over the wire to stand-ins of the services: once per issue and channel, with nothing of a reader."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook as Verifier

from newsletter.core.channels import Channel
from newsletter.core.issue import Issue
from newsletter.core.listing import Listing
from newsletter.core.newsletter_list import Masthead, NewsletterList
from newsletter.core.notices import LEASE, Notice
from newsletter.core.webhook_signatures import read_secret
from newsletter.outgoing.channels import ChatChannel, note_posts, told_program
from newsletter.outgoing.rounds import CUT_OFF, Rounds
from newsletter.outgoing.webhooks import Webhook
from newsletter.ports import NoticeCounts, Store
from tests.outgoing.services import Services, services
from tests.outgoing.worker import LINKS, SECRET, clock, poster
from tests.store.samples import DAY, LIST, NOW, draft, due, in_issue, join, keys, record, subscriber

ROOT = Path(__file__).parents[2]
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
URLS = {
    "hooks.slack.com": SLACK,
    "discord.com": "https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "api.telegram.org": "tgram://123456789:abcdefg_hijklmnop/12315544",
    "prod-1.westeurope.logic.azure.com": (
        "https://prod-1.westeurope.logic.azure.com:443/workflows/643e69f83c8944/triggers/manual/paths/invoke"
        "?api-version=2016-06-01&sp=x&sv=1.0&sig=iXvYtLKhnMCnTqOnLCJL2T4RA2Vr4JdbQfN3xSWnqOU"
    ),
    "open.feishu.cn": "feishu://token1234567890",
    "ntfy.sh": "ntfys://ntfy.sh/our-papers",
}
LONGEST = {
    "discord.com": 2000,
    "api.telegram.org": 4096,
    "prod-1.westeurope.logic.azure.com": 1000,
    "ntfy.sh": 4096,
}
PAGE = "https://papers.example.org/daily/2026-03-02"


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    with services(tmp_path, monkeypatch) as known:
        yield known


def list_of(*urls: str) -> NewsletterList:
    channels = tuple(Channel(f"channel-{number}", url) for number, url in enumerate(urls))
    masthead = Masthead(list=LIST, title="Daily", sender="Daily <daily@example.org>")
    return NewsletterList(masthead=masthead, sources=("huggingface",), channels=channels)


async def closed(store: Store, *listings: Listing) -> Issue:
    """Close an issue with these listings for a reader."""
    shown = listings or tuple(
        Listing(title=f"Paper {number}", arxiv_id=f"2603.{number:05}") for number in range(8)
    )
    await record(store, *shown)
    await join(store, subscriber(1, name="Ann Example"))
    numbers = await keys(store)
    rows = tuple(in_issue(numbers[one.title], rank, one) for rank, one in enumerate(shown, start=1))
    issue, _ = await store.issues.freeze(draft(*rows), "Papers", due(), now=NOW)
    return issue


async def tell(store: Store, list_: NewsletterList, *, later: timedelta = timedelta()) -> None:
    """Note the posts of a list, and send what is due."""
    now = NOW + later
    await note_posts([list_], store.issues, store.notices, now=now)
    receivers = [ChatChannel(LIST, channel, store.issues, LINKS) for channel in list_.channels]
    await Rounds(store.notices, lambda: now).send(receivers, asyncio.Event())


async def counts_of(store: Store, list_: NewsletterList) -> NoticeCounts:
    """Return how the notices to a list's only channel stand."""
    [channel] = list_.channels
    [counts] = [one for one in await store.notices.counts() if one.receiver == channel.receiver(LIST)]
    return counts


async def test_each_service_gets_the_lead_five_titles_and_the_link_once(store: Store, chats: Services) -> None:
    await closed(store)
    everywhere = list_of(*URLS.values())

    for _ in range(3):
        await tell(store, everywhere)

    assert sorted(one.host for one in chats.got) == sorted(URLS)
    for got in chats.got:
        said = "\n".join(got.texts)
        assert [f"Paper {number}" in said for number in range(8)] == [True] * 6 + [False] * 2, got.host
        assert PAGE in said
        assert "2026-03-02" in said
        assert not any(word in said for word in ("Ann", "reader1", "unsubscribe"))
        assert all("github" not in text for text in got.texts), "a picture of apprise's own"


async def test_posts_are_as_long_as_each_service_allows_and_strangers_call_nobody(
    store: Store, chats: Services
) -> None:
    hostile = "@everyone <!channel> <at user_id='all'></at> [x](https://evil.example) " + "long 語 " * 60
    await closed(store, *(Listing(title=f"{number} {hostile}", abstract=hostile * 3) for number in range(8)))

    await tell(store, list_of(*URLS.values()))

    assert len(chats.got) == len(URLS)
    for got in chats.got:
        said = "\n".join(got.texts)
        assert not any(call in said for call in ("@everyone", "<!channel", "<at ", "&lt;!channel")), got.host
        assert max(len(text) for text in got.texts) <= LONGEST.get(got.host, 3000)
        if got.host == "ntfy.sh":
            assert len(got.body["message"].encode()) <= 4096


async def test_what_a_service_does_not_take_is_posted_again_and_given_up_in_the_evening(
    store: Store, chats: Services
) -> None:
    await closed(store)
    slack = list_of(SLACK)
    chats.statuses = [500] * 20

    await tell(store, slack)
    await tell(store, slack, later=timedelta(seconds=59))
    assert len(chats.got) == 1
    counts = await counts_of(store, slack)
    assert counts.waiting == 1
    assert "500" in counts.reason
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in counts.reason
    for hour in range(1, 12):
        await tell(store, slack, later=timedelta(hours=hour))

    assert len(chats.got) == 6
    counts = await counts_of(store, slack)
    assert (counts.waiting, counts.given_up) == (0, 1)


async def test_a_new_channel_gets_the_issue_of_the_day_and_none_of_earlier_days(
    store: Store, chats: Services
) -> None:
    await closed(store)
    one, two, three = URLS["discord.com"], URLS["ntfy.sh"], SLACK

    await tell(store, list_of(one))
    await tell(store, list_of(one, two), later=timedelta(hours=23))
    await tell(store, list_of(one, two, three), later=timedelta(hours=25))

    assert [got.host for got in chats.got] == ["discord.com", "ntfy.sh"]


async def test_an_issue_without_news_is_not_posted(store: Store, chats: Services) -> None:
    await record(store, Listing(title="Old"))
    await join(store, subscriber(1))
    quiet = replace(draft(in_issue((await keys(store))["Old"])), candidates=0)
    await store.issues.freeze(quiet, "No news", due(), now=NOW)

    await tell(store, list_of(SLACK))

    assert chats.got == []


async def process(url: str) -> asyncio.subprocess.Process:
    words = ("-m", "tests.outgoing.worker", url, SLACK, NOW.isoformat())
    return await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT)


async def test_what_a_killed_process_posted_is_not_posted_again_and_told(
    store: Store, url: str, chats: Services
) -> None:
    issue = await closed(store)
    await store.notices.add_posts(["channel:daily/team"], issue.key, now=NOW)
    killed = await process(url)
    chats.when_got = lambda: os.kill(killed.pid, signal.SIGKILL)
    assert await killed.wait() == -signal.SIGKILL

    channel = ChatChannel(LIST, Channel("team", SLACK), store.issues, LINKS)
    for later in (timedelta(), LEASE, 2 * LEASE):
        await Rounds(store.notices, lambda at=NOW + later: at).send([channel], asyncio.Event())

    assert len(chats.got) == 1
    given_up = NoticeCounts(receiver=channel.name, waiting=0, given_up=1, reason=CUT_OFF)
    assert given_up in await store.notices.counts()


async def test_two_processes_post_once(store: Store, url: str, chats: Services) -> None:
    issue = await closed(store)
    await store.notices.add_posts(["channel:daily/team"], issue.key, now=NOW)

    both = await asyncio.gather(*(process(url) for _ in range(2)))

    assert [await one.wait() for one in both] == [0, 0]
    assert len(chats.got) == 1


async def test_a_program_of_one_s_own_is_told_in_a_signed_message(store: Store, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    issue = await closed(store)
    await store.notices.add_posts(["channel:daily/site"], issue.key, now=NOW)
    by = poster()

    async def complete(notice: Notice, _: object) -> dict[str, object]:
        return dict(await told_program(store.issues, LINKS, notice))

    key = read_secret(SECRET)
    receiver = Webhook("channel:daily/site", httpserver.url_for("/hook"), key, by, complete, clock)
    await Rounds(store.notices, lambda: NOW).send([receiver], asyncio.Event())
    await by.aclose()

    [(request, _)] = httpserver.log
    told = Verifier(SECRET).verify(request.data, dict(request.headers))
    assert told["type"] == "issue.posted"
    assert told["data"]["titles"] == [f"Paper {number}" for number in range(6)]
    assert (told["data"]["listings"], told["data"]["day"]) == (8, DAY.isoformat())
    assert told["data"]["url"].startswith(PAGE)
    assert b"reader1" not in request.data
