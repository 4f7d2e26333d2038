"""Posts over the wire to stand-ins of the services: once per issue and channel, with nothing of a reader."""

from __future__ import annotations

import asyncio
import json
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
from newsletter.core.halt import Order
from newsletter.core.issue import Issue
from newsletter.core.listing import Listing
from newsletter.core.machine_summary import MachineSummary
from newsletter.core.newsletter_list import Masthead, NewsletterList
from newsletter.core.notices import LEASE, Notice
from newsletter.core.webhook_signatures import read_secret
from newsletter.outgoing.channels import ChatChannel, note_posts, told_program
from newsletter.outgoing.rounds import CUT_OFF, Rounds
from newsletter.outgoing.webhooks import Webhook
from newsletter.ports import NoticeCounts, Store
from tests.outgoing.services import Reply, Services, services
from tests.outgoing.worker import LINKS, SECRET, chat, clock, poster
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
    "open.feishu.cn": "https://open.feishu.cn/open-apis/bot/v2/hook/token1234567890",
    "open.larksuite.com": "lark://token1234567890",
    "ntfy.sh": "ntfys://ntfy.sh/our-papers",
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


async def closed(store: Store, *listings: Listing, machine: MachineSummary | None = None) -> Issue:
    """Close an issue with these listings for a reader; `machine` is what a model wrote of the first."""
    shown = listings or tuple(
        Listing(title=f"Paper {number}", arxiv_id=f"2603.{number:05}") for number in range(8)
    )
    await record(store, *shown)
    await join(store, subscriber(1, name="Ann Example"))
    numbers = await keys(store)
    rows = tuple(in_issue(numbers[one.title], rank, one) for rank, one in enumerate(shown, start=1))
    rows = (replace(rows[0], machine=machine), *rows[1:])
    issue, _ = await store.issues.freeze(draft(*rows), "Papers", due(), now=NOW)
    return issue


async def tell(store: Store, list_: NewsletterList, *, later: timedelta = timedelta()) -> None:
    """Note the posts of a list, and send what is due."""
    now = NOW + later
    await note_posts([list_], store, now=now)
    by = poster(timeout=5, most=100_000)
    receivers = [ChatChannel(LIST, channel, store, LINKS, lambda _: by) for channel in list_.channels]
    await Rounds(store.notices, lambda: now).send(receivers, asyncio.Event())
    await by.aclose()


async def troubles(store: Store) -> list[NoticeCounts]:
    """Return how the notices to channels stand that were not taken."""
    return [one for one in await store.notices.counts() if one.receiver.startswith("channel:")]


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


@pytest.mark.parametrize("letters", ["long 語 ", "👩‍👩‍👧 ", "e\u0301\u0323 ", "🜁", "<&>\"'* ", "語語語語"])
async def test_posts_are_as_long_as_each_service_allows_and_strangers_call_nobody(
    store: Store, chats: Services, letters: str
) -> None:
    hostile = "@everyone <!channel> <at user_id='all'></at> [x](https://evil.example) " + letters * 60
    await closed(store, *(Listing(title=f"{number} {hostile}", abstract=hostile * 3) for number in range(8)))

    await tell(store, list_of(*URLS.values()))

    assert sorted(got.host for got in chats.got) == sorted(URLS)
    assert await troubles(store) == [], "each service took it"
    for got in chats.got:
        said = "\n".join(got.texts)
        assert not any(call in said for call in ("@everyone", "<!channel", "<at ", "&lt;!channel")), got.host
        assert PAGE in said


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


async def left_alone(store: Store) -> timedelta | None:
    """Return after how long the only notice is tried again, or None: not at all."""
    for minutes in range(0, 24 * 60, 5):
        ready = await store.notices.ready(now=NOW + timedelta(minutes=minutes))
        if any(name.startswith("channel:") for name in ready):
            return timedelta(minutes=minutes)
    return None


@pytest.mark.parametrize(
    ("host", "reply"),
    [
        ("hooks.slack.com", Reply(429, b"rate_limited", {"Retry-After": "3600"})),
        ("discord.com", Reply(429, b'{"message": "You are being rate limited.", "retry_after": 3600.5}')),
        ("api.telegram.org", Reply(429, b'{"ok": false, "parameters": {"retry_after": 3600}}')),
        ("ntfy.sh", Reply(429, b'{"error": "limit reached"}', {"Retry-After": "3600"})),
    ],
)
async def test_a_service_is_left_alone_for_as_long_as_it_asks(
    store: Store, chats: Services, host: str, reply: Reply
) -> None:
    await closed(store)
    only = list_of(URLS[host])
    chats.replies = [replace(reply, headers={**reply.headers, "X-RateLimit-Remaining": "0"})]

    await tell(store, only)

    assert len(chats.got) == 1
    assert (await counts_of(store, only)).reason.startswith("answered 429")
    assert await left_alone(store) in {timedelta(minutes=60), timedelta(minutes=65)}
    await tell(store, only, later=timedelta(minutes=65))
    assert (len(chats.got), await troubles(store)) == (2, [])


async def test_a_service_that_asks_for_more_than_the_day_gets_no_old_news(store: Store, chats: Services) -> None:
    await closed(store)
    slack = list_of(SLACK)
    chats.replies = [Reply(429, headers={"Retry-After": "40000"})]

    await tell(store, slack)

    counts = await counts_of(store, slack)
    assert (counts.waiting, counts.given_up) == (0, 1)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(after=20),
        Reply(body=b'{"ok": true}' * 100, drip=0.5),
        Reply(504, b"<html>upstream timed out</html>"),
    ],
    ids=["hangs", "drips", "late"],
)
async def test_what_may_have_been_posted_is_not_posted_again(store: Store, chats: Services, reply: Reply) -> None:
    await closed(store)
    slack = list_of(SLACK)
    chats.replies = [reply]

    for hour in range(8):
        await tell(store, slack, later=timedelta(hours=hour))

    assert len(chats.got) == 1
    counts = await counts_of(store, slack)
    assert (counts.waiting, counts.given_up) == (0, 1)
    assert "the post may be there, so it is not posted again" in counts.reason


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(200, b"<!DOCTYPE html><title>Log in</title>"), "answered with a web page"),
        (Reply(302, headers={"Location": "https://169.254.169.254/latest/"}), "answered 302"),
        (Reply(307, headers={"Location": "https://127.0.0.1/"}), "answered 307"),
        (Reply(404, b"no_service"), "answered 404: no_service"),
        (Reply(400, b"[" * 90_000), "answered 400"),
        (
            Reply(
                500, json.dumps({"error": {"message": f"unknown TIiajkdnlazkcOXrIdevi7FQ {'x' * 999}"}}).encode()
            ),
            "…",
        ),
    ],
    ids=["page", "redirect", "redirect-post", "words", "nested", "secret"],
)
async def test_an_answer_that_is_none_is_told_and_leads_nowhere(
    store: Store, chats: Services, reply: Reply, reason: str
) -> None:
    await closed(store)
    slack = list_of(SLACK)
    chats.replies = [reply]

    await tell(store, slack)
    assert len(chats.got) == 1
    counts = await counts_of(store, slack)
    assert counts.waiting == 1
    assert reason in counts.reason
    assert len(counts.reason) < 400
    assert not any(part in counts.reason for part in SLACK.split("/")[2:])
    await tell(store, slack, later=timedelta(minutes=2))

    assert (len(chats.got), await troubles(store)) == (2, [])


async def test_a_service_that_says_no_with_a_good_status_has_not_taken_it(store: Store, chats: Services) -> None:
    await closed(store)
    feishu = list_of(URLS["open.feishu.cn"])
    chats.replies = [Reply(200, b'{"code": 19001, "msg": "param invalid: token1234567890"}')]

    await tell(store, feishu)

    counts = await counts_of(store, feishu)
    assert counts.waiting == 1
    assert "19001" in counts.reason
    assert "token1234567890" not in counts.reason


async def test_a_service_that_cannot_be_reached_is_tried_again(
    store: Store, chats: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await closed(store)
    slack = list_of(SLACK)
    with monkeypatch.context() as patch:
        for name in ("HTTPS_PROXY", "https_proxy"):
            patch.setenv(name, "http://127.0.0.1:9")
        await tell(store, slack)
    assert (await counts_of(store, slack)).waiting == 1

    await tell(store, slack, later=timedelta(minutes=2))

    assert (len(chats.got), await troubles(store)) == (1, [])


async def test_what_a_url_asks_for_makes_no_second_post(store: Store, chats: Services) -> None:
    await closed(store)
    eager = list_of("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?retry=3&overflow=split&format=markdown")
    chats.statuses = [500]

    await tell(store, eager)

    assert len(chats.got) == 1
    assert (await counts_of(store, eager)).waiting == 1


async def test_a_paused_issue_is_posted_when_it_goes_on_and_a_cancelled_one_never(
    store: Store, chats: Services
) -> None:
    issue = await closed(store)
    slack, both = list_of(SLACK), list_of(SLACK, URLS["ntfy.sh"])

    await store.halts.obey(issue.key, Order.PAUSE, now=NOW)
    await tell(store, slack)
    assert chats.got == []
    await store.halts.obey(issue.key, Order.RESUME, now=NOW)
    chats.statuses = [500]
    await tell(store, slack)
    await store.halts.obey(issue.key, Order.CANCEL, now=NOW)
    await tell(store, both, later=timedelta(hours=1))

    assert len(chats.got) == 1
    counts = await counts_of(store, slack)
    assert (counts.given_up, counts.reason) == (1, "its issue is cancelled")


async def test_a_text_by_a_model_says_so_and_stands_apart_in_what_programs_are_told(
    store: Store, chats: Services
) -> None:
    machine = MachineSummary(text="It **halves** the @cost.", language="de", model="tiny*model")
    lead = Listing(title="Lead", abstract="What the authors say.")
    issue = await closed(store, lead, machine=machine)

    await tell(store, list_of(*URLS.values()))

    for got in chats.got:
        said = "\n".join(got.texts).replace("\\", "")
        assert "AI summary by tiny*model, not reviewed: It **halves** the @\u200bcost." in said, got.host
        assert "What the authors say" not in said
    await store.notices.add_posts(["channel:daily/site"], issue.key, now=NOW)
    notice = await store.notices.claim("channel:daily/site", now=NOW)
    assert notice is not None
    told = await told_program(store, LINKS, notice)
    assert told["text"] == "What the authors say."
    assert told["machine_summary"] == {
        "text": "It **halves** the @cost.",
        "title": "",
        "language": "de",
        "model": "tiny*model",
        "reviewed": False,
    }


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

    by = poster()
    channel = chat(store, SLACK, by)
    for later in (timedelta(), LEASE, 2 * LEASE):
        await Rounds(store.notices, lambda at=NOW + later: at).send([channel], asyncio.Event())
    await by.aclose()

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
        return dict(await told_program(store, LINKS, notice))

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
