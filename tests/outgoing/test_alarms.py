"""Operators are told of alarms by mail, by a webhook and in a chat; the ledger knows what is left to tell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook as Verifier
from structlog.testing import capture_logs

from newsletter.bootstrap import Program, build, utc_now
from newsletter.composition import telling, watching
from newsletter.core.alarms import MAIL, Cause
from newsletter.render.lint import lint
from newsletter.settings import load
from tests.outgoing.services import services
from tests.outgoing.worker import SECRET
from tests.smtp_server import SmtpServer

LIST = """title = "Daily Papers"
sender = "Daily Papers <papers@lab.example>"
sources = ["jsonl:papers-*.jsonl"]
"""
Building = Callable[..., Awaitable[Program]]


@pytest.fixture
async def building(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Building]:
    """Builds a program with a list, a relay and further settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "subscribers").mkdir()
    (tmp_path / "subscribers" / "daily.toml").write_text(LIST)
    contexts = []

    async def build_one(port: int, **alarm: str) -> Program:
        settings = {"SMTP__HOST": "127.0.0.1", "SMTP__PORT": str(port), "SMTP__SECURITY": "none"}
        settings |= {f"ALARM__{name}": value for name, value in alarm.items()}
        for name, value in settings.items():
            monkeypatch.setenv(f"NEWSLETTER_{name}", value)
        contexts.append(build(load(None)))
        return await contexts[-1].__aenter__()

    yield build_one
    for context in contexts:
        await context.__aexit__(None, None, None)


@asynccontextmanager
async def relay(*, works: bool = True) -> AsyncIterator[SmtpServer]:
    async with SmtpServer() as server:
        if not works:
            server.answer("RCPT", "451 4.3.0 later")
        yield server


async def tell(program: Program) -> None:
    await telling.tell_now(program, asyncio.Event())


def mails(server: SmtpServer) -> list[EmailMessage]:
    return [message_from_bytes(one.content, policy=default) for one in server.received]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


async def test_the_operator_gets_a_mail_that_says_what_is_wrong_and_one_when_it_is_over(
    building: Building,
) -> None:
    async with relay() as server:
        program = await building(server.port, TO="operator@example.org")
        await program.alarm.ring(
            Cause.TEMPLATE, "daily", "body.html:7: 'autors' is undefined", day=utc_now().date()
        )
        for _ in range(2):
            await tell(program)
        await program.alarm.over([Cause.TEMPLATE], "daily")
        await tell(program)
        raised, over = mails(server)
    assert (raised["From"], raised["To"]) == ("Daily Papers <papers@lab.example>", "operator@example.org")
    assert raised["Subject"].startswith("Daily Papers needs you: no issue of ")
    assert "Reason: body.html:7: 'autors' is undefined" in text_of(raised)
    assert "newsletter preview" in text_of(raised)
    assert over["Subject"].startswith("Daily Papers, resolved: no issue of ")
    assert "newsletter preview" not in text_of(over)
    assert [lint(one.content, https=True) for one in server.received] == [[], []]


async def test_what_is_about_no_list_is_told_in_the_programs_name(building: Building, tmp_path: Path) -> None:
    async with relay() as server:
        program = await building(server.port, TO="operator@example.org")
        await program.alarm.ring(Cause.RELAY, "relay.example:587", "no answer")
        await tell(program)
        (tmp_path / "subscribers" / "daily.toml").write_text("title = 5\n")
        await program.alarm.ring(Cause.LIST_FILE, "daily", "daily.toml:1: is no text")  # and it never was right
        await tell(program)
        first, second = mails(server)
    assert first["Subject"] == "Newsletter needs you: the relay relay.example:587 takes no mail"
    assert (first["From"], second["From"]) == (
        "Daily Papers <papers@lab.example>",
        "Newsletter <operator@example.org>",
    )


async def test_a_broken_template_of_the_operator_does_not_silence_it(building: Building, tmp_path: Path) -> None:
    own = tmp_path / "templates" / "_base"
    own.mkdir(parents=True)
    (own / "mail.html").write_text("{{ autors }}")
    async with relay() as server:
        program = await building(server.port, TO="operator@example.org")
        await program.alarm.ring(Cause.TEMPLATE, "daily", "'autors' is undefined")
        await tell(program)
        assert len(mails(server)) == 1


async def test_while_the_relay_is_down_the_webhook_has_it_and_the_mail_waits(
    building: Building, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("")
    async with relay(works=False) as server:
        program = await building(
            server.port, TO="operator@example.org", WEBHOOK=httpserver.url_for("/hook"), WEBHOOK_SECRET=SECRET
        )
        await program.alarm.ring(Cause.RELAY, "relay.example:587", "no answer")
        await tell(program)
        assert mails(server) == []
    [(request, _)] = httpserver.log
    body = Verifier(SECRET).verify(request.data, dict(request.headers))
    assert (body["type"], body["data"]["cause"], body["data"]["reason"]) == ("alarm.raised", "relay", "no answer")
    [waiting] = await program.store.notices.counts()
    assert (waiting.receiver, waiting.waiting) == (MAIL, 1)
    assert "451 4.3.0 later" in waiting.reason


async def test_a_webhook_without_a_secret_gets_json_unsigned(building: Building, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/hook").respond_with_data("")
    program = await building(25, WEBHOOK=httpserver.url_for("/hook"))
    await program.alarm.ring(Cause.STUCK, "daily", "2 deliveries")
    await tell(program)
    [(request, _)] = httpserver.log
    assert json.loads(request.data)["data"]["subject"] == "daily"
    assert "webhook-signature" not in request.headers


async def test_a_chat_is_told_by_apprise(
    building: Building, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = await building(25, WEBHOOK="slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    with services(tmp_path, monkeypatch) as chats:
        await program.alarm.ring(Cause.STUCK, "daily", "2 deliveries are open")
        await program.alarm.over([Cause.STUCK], "daily")
        await tell(program)
    assert [post.host for post in chats.got] == ["hooks.slack.com"] * 2
    [first, second] = [" ".join(post.texts) for post in chats.got]
    assert "Alarm: Mails of daily do not get on" in first
    assert "2 deliveries are open" in first
    assert "Resolved: Mails of daily do not get on" in second


async def test_the_heartbeat_goes_on_after_good_runs_while_nothing_keeps_mail_back(
    building: Building, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/beat", method="GET").respond_with_data("OK")
    program = await building(25, HEARTBEAT=httpserver.url_for("/beat"))
    await watching.run_ended(program, is_good=True)
    assert len(httpserver.log) == 1
    await watching.run_ended(program, is_good=False)
    await program.alarm.ring(Cause.SOURCE_SILENT, "huggingface", "nothing since 2026-03-12")
    await watching.run_ended(program, is_good=True)  # the source is none of the list's
    assert len(httpserver.log) == 2
    await program.alarm.ring(Cause.RESTORED, "ledger", "it is older")
    await watching.run_ended(program, is_good=True)
    assert len(httpserver.log) == 2
    assert [beat.work for beat in await program.store.beats.newest()] == ["run"]


async def test_a_heartbeat_that_nobody_takes_costs_no_run(building: Building, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/secret-beat").respond_with_data("no", status=404)
    program = await building(25, HEARTBEAT=httpserver.url_for("/secret-beat"))
    pulse = watching.Pulse(program, partial(telling.tell_without_ledger, program))
    with capture_logs() as logs:
        await watching.run_ended(program, is_good=True)
        for _ in range(2):
            await pulse.of(asyncio.sleep(0))
        async with asyncio.timeout(30):
            while len(logs) < 2:  # noqa: ASYNC110 (the server answers in a thread)
                await asyncio.sleep(0.05)
        await pulse.background.close(within=30)
    failed = [entry["reason"] for entry in logs if entry["event"] == "heartbeat_failed"]
    assert failed == ["answered 404"] * 2
    assert "secret" not in str(logs)
    assert {beat.work for beat in await program.store.beats.newest()} == {"run", "scheduler"}
