from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from newsletter.core.errors import LintError, RenderError, SourceError, StoreError
from newsletter.delivery.mailer import RelayMailer
from newsletter.operations.alarms import Alarm, rung
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.lint import lint
from tests import factories
from tests.delivery.services import relay_to
from tests.render import mails as make
from tests.render.conftest import TEMPLATES
from tests.smtp_server import SmtpServer

MASTHEAD = factories.masthead()
BROKEN = RenderError("templates/daily/body.html:7: 'autors' is undefined")


@dataclass
class Relay:
    """A relay, and the alarms that use it."""

    server: SmtpServer
    folder: Path

    def alarm(self, **changes: Any) -> Alarm:
        values: dict[str, Any] = {
            "to": "operator@example.org",
            "templates": TemplateRenderer(None, TEMPLATES),
            "packaged": TemplateRenderer(None, TEMPLATES),
            "mailer": RelayMailer([relay_to(self.server)]),
            "signer": None,
            "folder": self.folder / "alarms",
            "clock": lambda: make.MOMENT,
        }
        return Alarm(**values | changes)

    @property
    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(one.content, policy=default) for one in self.server.received]


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[Relay]:
    async with SmtpServer() as server:
        yield Relay(server, tmp_path)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


async def test_the_operator_gets_a_mail_that_says_what_is_wrong_and_what_to_do(relay: Relay) -> None:
    await relay.alarm().ring(MASTHEAD, factories.DAY, BROKEN)
    (mail,) = relay.mails
    assert (mail["From"], mail["To"]) == ("Daily Papers <papers@example.org>", "operator@example.org")
    assert mail["Subject"] == "Daily Papers needs you: no issue of Thursday, 12 March 2026"
    assert "A template or the theme of the list is wrong" in text_of(mail)
    assert "Reason: templates/daily/body.html:7: 'autors' is undefined" in text_of(mail)
    assert "newsletter preview" in text_of(mail)
    assert lint(relay.server.received[0].content, https=True) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LintError("daily 2026-03-12: HTML part: 96,000 bytes"), "A check of the finished mail failed"),
        (SourceError("huggingface: answered 500"), "None of the list's sources could be read"),
        (StoreError("the ledger cannot be written"), "The run ended before there was an issue"),
    ],
)
async def test_each_kind_of_trouble_has_its_own_words(error: Any, said: str, relay: Relay) -> None:
    with capture_logs() as logs:
        await relay.alarm().ring(MASTHEAD, factories.DAY, error)
    assert said in text_of(relay.mails[0])
    (entry,) = logs
    assert (entry["event"], entry["log_level"], entry["list"]) == ("issue_failed", "error", "daily")
    assert entry["reason"] == str(error)


async def test_the_same_trouble_of_a_day_is_mailed_once_whoever_finds_it(relay: Relay) -> None:
    with capture_logs() as logs:
        for _ in range(3):
            await relay.alarm().ring(MASTHEAD, factories.DAY, BROKEN)
    assert len(relay.mails) == 1
    assert [entry["log_level"] for entry in logs] == ["error", "warning", "warning"]


async def test_another_list_day_or_cause_is_other_trouble(relay: Relay) -> None:
    alarm = relay.alarm()
    await alarm.ring(MASTHEAD, factories.DAY, BROKEN)
    await alarm.ring(factories.masthead(list="weekly"), factories.DAY, BROKEN)
    await alarm.ring(MASTHEAD, factories.DAY.replace(day=13), BROKEN)
    await alarm.ring(MASTHEAD, factories.DAY, SourceError("huggingface: answered 500"))
    assert len({mail["Message-ID"] for mail in relay.mails}) == 4


async def test_without_an_address_the_log_alone_tells(relay: Relay) -> None:
    with capture_logs() as logs:
        await relay.alarm(to="").ring(MASTHEAD, factories.DAY, BROKEN)
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert not relay.mails


async def test_a_broken_template_of_the_operator_does_not_silence_it(relay: Relay, tmp_path: Path) -> None:
    own = tmp_path / "templates"
    (own / "_base").mkdir(parents=True)
    (own / "_base" / "mail.html").write_text("{{ autors }}")
    templates = TemplateRenderer(own, TEMPLATES)
    await relay.alarm(templates=templates).ring(MASTHEAD, factories.DAY, BROKEN)
    masthead = factories.masthead(list="red", theme={"accent": "red"})
    await relay.alarm().ring(masthead, factories.DAY, RenderError("theme of 'Daily Papers': accent = 'red'"))
    assert len(relay.mails) == 2


async def test_what_one_relay_does_not_take_the_next_one_does(relay: Relay) -> None:
    async with SmtpServer() as refusing, SmtpServer() as gone:
        refusing.answer("RCPT", "550 5.7.1 not here")
        gone.answer("GREETING", "421 4.3.2 gone")
        relays = [relay_to(refusing), relay_to(gone), relay_to(relay.server)]
        await relay.alarm(mailer=RelayMailer(relays)).ring(MASTHEAD, factories.DAY, BROKEN)
    assert len(relay.mails) == 1


async def test_a_mail_that_no_relay_takes_is_tried_again_the_next_time(relay: Relay) -> None:
    relay.server.answer("RCPT", "451 4.3.0 later", times=1)
    with capture_logs() as logs:
        await relay.alarm().ring(MASTHEAD, factories.DAY, BROKEN)
    assert [entry["event"] for entry in logs] == ["issue_failed", "alarm_not_mailed"]
    assert "451 4.3.0 later" in logs[1]["reason"]
    await relay.alarm().ring(MASTHEAD, factories.DAY, BROKEN)
    assert len(relay.mails) == 1


async def test_it_never_raises_not_even_where_nothing_can_be_remembered(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with capture_logs() as logs:
        await relay.alarm(folder=tmp_path / "file" / "alarms").ring(MASTHEAD, factories.DAY, BROKEN)
    assert [entry["event"] for entry in logs] == ["alarm_not_remembered", "issue_failed"]
    assert not relay.mails


async def test_why_alarms_rang_can_be_read_the_newest_first(relay: Relay) -> None:
    alarm = relay.alarm(to="")
    await alarm.ring(factories.masthead(list="daily.weekly"), factories.DAY, SourceError("answered\n500"))
    await alarm.ring(MASTHEAD, factories.DAY, BROKEN)
    folder = relay.folder / "alarms"
    (folder / "notes.of.mine").write_text("no alarm")
    older, newer = sorted(folder.glob("2026*"), key=lambda mark: "template" in mark.name)
    os.utime(older, (1, 1))
    os.utime(newer, (2, 2))

    first, second = rung(folder, limit=5)

    assert (first.list, first.day, first.cause, first.reason) == ("daily", factories.DAY, "template", str(BROKEN))
    assert (second.list, second.cause, second.reason) == ("daily.weekly", "sources", "answered 500")
    assert rung(folder, limit=1) == [first]
    assert rung(relay.folder / "none", limit=5) == []
