"""Commands tell others: `run` does at its end, `status` says what was not taken, `lists check` what is wrong."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook as Verifier
from werkzeug import Request

from tests.cli.conftest import Call, call, folder
from tests.e2e.conftest import workplace
from tests.e2e.workplace import Workplace
from tests.outgoing.worker import SECRET

__all__ = ["call", "folder", "workplace"]


@pytest.fixture
def cluster_url() -> None:
    """The ledger is a file."""


async def test_a_run_tells_of_its_issue_once_and_nothing_of_its_readers(
    workplace: Workplace, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("")
    httpserver.expect_request("/down", method="POST").respond_with_data("", status=503)
    endpoints = [{"url": httpserver.url_for(path), "secret": SECRET} for path in ("/hook", "/down")]
    workplace.environment |= {
        "NEWSLETTER_WEBHOOKS__ENDPOINTS": json.dumps(endpoints),
        "NEWSLETTER_WEBHOOKS__ALLOW_PRIVATE": "true",
        "NEWSLETTER_WEB__PUBLIC_URL": "https://papers.example.org",
    }
    workplace.list_file(["jsonl:papers-*.jsonl"])
    papers = workplace.folder / "subscribers" / "papers-2026-03-12.jsonl"
    papers.write_text(json.dumps({"title": "Sparse teachers", "abstract": "They teach."}))

    for _ in range(2):
        done = await workplace.run("run", "--date", "2026-03-12")
        assert done.code == 0, done.err

    assert len(workplace.mails()) == 1
    taken: list[Request] = [request for request, _ in httpserver.log if request.path == "/hook"]
    told = [Verifier(SECRET).verify(request.data, dict(request.headers)) for request in taken]
    assert Counter(one["type"] for one in told) == {"issue.closed": 1, "issue.delivered": 1}
    for one in told:
        assert one["data"]["day"] == "2026-03-12"
        assert one["data"]["url"].startswith("https://papers.example.org/daily/2026-03-12")
    [delivered] = [one["data"]["deliveries"] for one in told if one["type"] == "issue.delivered"]
    assert delivered["sent"] == 1
    assert not any(b"ann@" in request.data for request in taken)
    [status] = (await workplace.run("status", "--json")).json
    [counts] = status["notices"]
    assert (counts["waiting"], counts["reason"]) == (2, "answered 503")
    shown = (await workplace.run("status")).out
    assert ": 2 waiting: answered 503" in shown
    assert SECRET not in shown


def test_channels_that_apprise_cannot_read_are_mistakes_with_their_lines(call: Call, folder: Path) -> None:
    path = folder / "subscribers" / "daily.toml"
    path.write_text(f'{path.read_text()}\n[channels]\nlab = "ntfys://ntfy.sh/papers"\nteam = "slack://hidden"\n')

    code, out, err = call("lists", "check")

    assert code == 1
    assert "daily.toml:8: channels.team: apprise cannot read this URL of Slack" in out + err
    assert "hidden" not in out + err
    assert "lab" not in out + err


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "ntfys://ntfy.sh/hidden-one/hidden-two",
            "this URL of ntfy names several rooms: write a channel for each",
        ),
        ("tgram://123456789:hidden_abcdefghij/1/2", "this URL of Telegram names several rooms"),
        ("tgram://123456789:hidden_abcdefghij/", "this URL of Telegram names no chat"),
    ],
)
def test_a_channel_is_one_room(call: Call, folder: Path, url: str, said: str) -> None:
    path = folder / "subscribers" / "daily.toml"
    path.write_text(f'{path.read_text()}\n[channels]\nlab = "{url}"\n')

    code, out, err = call("lists", "check")

    assert code == 1
    assert f"channels.lab: {said}" in out + err
    assert "hidden" not in out + err


def test_channels_without_the_extra_are_mistakes(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    path = folder / "subscribers" / "daily.toml"
    path.write_text(f'{path.read_text()}\n[channels]\nlab = "ntfys://ntfy.sh/papers"\n')

    code, out, err = call("lists", "check")

    assert code == 1
    assert "channels.lab: apprise is not installed: `pip install 'newsletter[channels]'`" in out + err
