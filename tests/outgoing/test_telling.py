"""The composition: settings and list files become those who are told, in the background of `serve`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook as Verifier

from newsletter.bootstrap import Program, build, utc_now
from newsletter.composition import telling
from newsletter.core.listing import Entry, Listing, Sighting
from newsletter.core.subscriber import Member
from newsletter.settings import load
from tests.outgoing.services import services
from tests.outgoing.worker import SECRET
from tests.store.samples import DAY, draft, due, in_issue, keys

LIST = """title = "Daily"
sender = "Daily <papers@lab.example>"
sources = ["jsonl:papers-*.jsonl"]

[channels]
team = "secret:team"
"""
ANN = Member("ann@example.org", "Ann")


@pytest.fixture
async def program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> AsyncIterator[Program]:
    """A program with two endpoints, of which one is told addresses, and a channel."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST)
    plain, whole = ({"url": httpserver.url_for(path), "secret": SECRET} for path in ("/plain", "/whole"))
    for name, value in {
        "NEWSLETTER_WEBHOOKS__ENDPOINTS": json.dumps([plain, {**whole, "addresses": True}]),
        "NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE": "true",
        "NEWSLETTER_CHANNELS__SECRETS": json.dumps(
            {"team": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"}
        ),
    }.items():
        monkeypatch.setenv(name, value)
    async with build(load(None)) as made:
        yield made


def told(server: HTTPServer, path: str) -> list[dict[str, Any]]:
    requests = [request for request, _ in server.log if request.path == path]
    return [Verifier(SECRET).verify(request.data, dict(request.headers)) for request in requests]


async def tell(program: Program) -> None:
    """Let the background tell what is due."""
    background = telling.in_the_background(program)
    background.soon()
    while await program.store.notices.ready(now=utc_now()):  # noqa: ASYNC110 (the ledger alone knows)
        await asyncio.sleep(0.05)
    await background.close(within=60)


async def closed_now(program: Program) -> Listing:
    """Close an issue with one paper now, and return the paper."""
    now = utc_now()
    sighting = Sighting(source="huggingface", listed_on=DAY, seen_at=now)
    paper = Listing(title="Sparse teachers", url="https://example.org/sparse")
    await program.store.library.record("huggingface", DAY, [Entry(listing=paper, sighting=sighting)], now=now)
    row = in_issue((await keys(program.store))[paper.title], listing=paper)
    await program.store.issues.freeze(draft(row), "Papers", due(now), now=now)
    return paper


async def test_an_address_is_told_to_those_alone_who_are_to_know_it(
    program: Program, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/plain").respond_with_data("")
    httpserver.expect_request("/whole").respond_with_data("")
    done = await program.store.subscribers.return_by_confirmation("daily", ANN, now=utc_now())

    await tell(program)

    [plain], [whole] = told(httpserver, "/plain"), told(httpserver, "/whole")
    assert plain["data"] == {"list": "daily", "subscriber": done.key}
    assert whole["data"] == {"list": "daily", "subscriber": done.key, "email": ANN.email}


async def test_an_issue_is_posted_in_the_channel_of_its_list(
    program: Program, httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    httpserver.expect_request("/plain").respond_with_data("")
    httpserver.expect_request("/whole").respond_with_data("")
    paper = await closed_now(program)

    with services(tmp_path, monkeypatch) as chats:
        await tell(program)
        await telling.tell_now(program, asyncio.Event())

    [post] = chats.got
    assert post.host == "hooks.slack.com"
    # There are no public pages: the paper's own link is there.
    assert any("Sparse teachers" in text and paper.url in text for text in post.texts)
    assert [one["type"] for one in told(httpserver, "/plain")] == ["issue.closed", "issue.delivered"]


@pytest.mark.parametrize("allowed", [False, True])
async def test_a_chat_server_in_a_private_network_is_told_if_it_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer, *, allowed: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    url = f"ntfy://127.0.0.1:{httpserver.port}/papers"
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST.replace("secret:team", url))
    monkeypatch.setenv("NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE", str(allowed).lower())
    httpserver.expect_request("/", method="POST").respond_with_json({"id": "a1"})
    async with build(load(None)) as program:
        await closed_now(program)
        await telling.tell_now(program, asyncio.Event())
        counts = await program.store.notices.counts()

    assert len(httpserver.log) == allowed
    if allowed:
        assert counts == []
    else:
        assert (
            "is not a public address; if that is meant, set NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE=true"
            in counts[0].reason
        )
