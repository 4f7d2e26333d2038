"""`newsletter doctor --send-to`: a mail is sent, read back, and what the relay did to it is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.bootstrap import packaged_templates
from newsletter.core.diagnosis import Health
from newsletter.core.newsletter_list import Masthead
from newsletter.core.tokens import Links
from newsletter.delivery.mailer import RelayMailer
from newsletter.operations.doctor.trial import Trial
from newsletter.operations.doctor.trial_mail import TrialMail, TrialMails
from newsletter.render.issue.renderer import TemplateRenderer
from newsletter.render.mime.signing import Signer, SigningKey
from tests.cli.conftest import Call, call, folder
from tests.doctor.surroundings import ED25519, LIST, RSA
from tests.inbound.dovecot import PASSWORD, USER, dovecot
from tests.smtp_server import Certificates, SmtpServer, in_thread

__all__ = ["call", "folder"]

KEYS = (SigningKey.of("one", RSA), SigningKey.of("two", ED25519))
MASTHEAD = Masthead(
    list="daily", title="Daily", sender="Daily <papers@lab.example>", bounces_to="bounces@lab.example"
)


def mail(*, signs: bool = True) -> TrialMail:
    mails = TrialMails(
        masthead=MASTHEAD,
        links=Links("https://papers.example.org", "not a secret, being in a test"),
        templates=TemplateRenderer(None, packaged_templates()),
        signer=Signer("lab.example", *KEYS) if signs else None,
    )
    return mails.mail("me@elsewhere.example", word="t0123", now=datetime(2026, 3, 12, tzinfo=UTC))


def said(mail: TrialMail, arrived: bytes, *, signs: bool = True) -> list[str]:
    """Return what is said of a mail that arrived, without what to do."""
    trial = Trial(mailer=RelayMailer([]), inbox=None, domain="lab.example", keys=KEYS if signs else ())
    return [f"{one.status} {one.check}: {one.says}" for one in trial.changes(mail, arrived)]


def test_a_mail_that_arrives_as_it_was_sent_keeps_its_signatures() -> None:
    sent = mail()
    traces = b"Return-Path: <" + sent.sender.encode() + b">\nAuthentication-Results: mx; spf=pass x; dkim=pass\n"
    assert said(sent, traces + sent.raw.replace(b"\r\n", b"\n")) == [
        "ok message-id: arrived as it was sent",
        f"ok envelope: the envelope sender is ours: {sent.sender}",
        "ok signature: our signature (rsa-sha256) holds: body and signed fields are as they were",
        "ok signature: our signature (ed25519-sha256) holds: body and signed fields are as they were",
        "ok received: the receiver says spf=pass, dkim=pass",
    ]
    assert sent.sender.startswith("bounces+0-")


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "another Message-ID": (
        lambda raw: raw.replace(b"Message-ID: <2026", b"Message-ID: <x.2026"),
        "warn message-id: the relay wrote its own: <x.2026",
    ),
    "another subject": (
        lambda raw: raw.replace(b"Subject: ", b"Subject: [EXT] "),
        "fail signature: our signature (rsa-sha256) is broken: the relay changed subject",
    ),
    "a footer": (
        lambda raw: raw + b"-- \r\nscanned\r\n",
        "fail signature: our signature (ed25519-sha256) is broken: the relay changed the body",
    ),
    "a second From": (
        lambda raw: b"From: evil@evil.example\r\n" + raw,
        "fail signature: our signature (rsa-sha256) is broken: the relay changed a field that was added",
    ),
    "no signature": (
        lambda raw: raw.replace(b"DKIM-Signature", b"X-Signature"),
        "fail signature: our signature (rsa-sha256) was removed",
    ),
    "another envelope": (
        lambda raw: b"Return-Path: <0100@relay.example>\r\n" + raw,
        "warn envelope: the relay wrote another envelope sender: 0100@relay.example",
    ),
    "spf failed": (
        lambda raw: b"Authentication-Results: mx; spf=softfail\r\nAuthentication-Results: x; spf=pass\r\n" + raw,
        "fail received: the receiver says spf=softfail",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_a_relay_changed_is_named(what: str) -> None:
    change, expected = CHANGES[what]
    sent = mail()
    found = said(sent, change(sent.raw))
    assert any(one.startswith(expected) for one in found), found


def test_where_we_do_not_sign_it_is_said_whether_the_relay_does() -> None:
    sent = mail(signs=False)
    assert "fail signature: nobody signs, and not for lab.example" in said(sent, sent.raw, signs=False)
    for domain, expected in (("relay.example", "fail"), ("lab.example", "ok")):
        signed = f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=x; h=from; bh=x; b=x\r\n".encode() + sent.raw
        found = [one for one in said(sent, signed, signs=False) if "signature" in one]
        assert [one.partition(" ")[0] for one in found] == [expected], found


async def test_a_mail_is_read_back_from_the_mailbox_that_it_came_to(tmp_path: Path) -> None:
    from newsletter.core.relay import Security
    from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
    from newsletter.inbound.imap import ImapConfig, ImapSource

    certificates = Certificates()
    sent = mail()
    async with SmtpServer() as relay, dovecot(certificates, "http://127.0.0.1:9/") as server:
        inbox = ImapSource(
            ImapConfig(
                host="localhost",
                port=server.port,
                security=Security.TLS,
                username=USER,
                password=lambda: PASSWORD,
                token=str,
                ca_file=certificates.write(tmp_path),
            )
        )
        mailer = RelayMailer([SmtpRelay(RelayConfig(host="127.0.0.1", port=relay.port, security=Security.NONE))])
        trial = Trial(mailer=mailer, inbox=inbox, domain="lab.example", keys=KEYS, patience=20, every=0.1)
        running = asyncio.create_task(trial.made(sent))
        await relay.until(1)
        server.put("1", b"Subject: another\r\n\r\n")
        server.put("2", relay.received[0].content)
        found = await running
        missing = Trial(mailer=mailer, inbox=inbox, domain="lab.example", keys=KEYS, patience=0.1, every=0.1)
        [late] = await missing.made(
            TrialMail(raw=sent.raw, sender="a@b.example", recipient="c@d.example", id="", word="t9")
        )
    assert [one.check for one in found] == ["test-mail", "message-id", "signature", "signature"]
    assert all(one.status is Health.OK for one in found), found
    assert relay.received[0].sender == sent.sender
    assert late.status is Health.FAIL
    assert "did not come to IMAP localhost" in late.says


def test_the_command_prints_lines_or_json_keeps_the_result_and_tells_where_to_look(
    call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = LIST.replace("lab.example", "example.org").replace("huggingface", "jsonl:*.jsonl")
    (folder / "subscribers" / "daily.toml").write_text(text)
    (folder / "subscribers" / "x.jsonl").touch()
    (folder / "var").mkdir()
    code, out, _ = call("doctor", "--json")
    assert code == 1  # no relay there
    found = json.loads(out)
    assert all(set(one) == {"check", "status", "says", "do"} for one in found)
    assert [one["check"] for one in found if one["status"] == "fail"] == ["relay"]
    assert json.loads((folder / "var" / "doctor.json").read_text())["found"] == found
    with in_thread(SmtpServer()) as relay:
        monkeypatch.setenv("NEWSLETTER_SMTP__PORT", str(relay.port))
        monkeypatch.setenv("NEWSLETTER_SMTP__SECURITY", "none")
        code, out, err = call("doctor", "--list", "daily", "--send-to", "me@example.org")
    assert code == 0, out + err
    assert "ok    test-mail    localhost:" in out
    assert "warn  received     whether it arrives is not seen here" in out
    [sent] = relay.received
    assert sent.recipient == "me@example.org"
    assert b"List-Unsubscribe: " in sent.content
    assert call("doctor", "--list", "dayly")[0] == 2
    monkeypatch.setenv("NEWSLETTER_SMTP__PORT", "x")
    code, out, err = call("doctor")
    assert (code, out.splitlines()[0]) == (
        1,
        "fail  settings     NEWSLETTER_SMTP__PORT is wrong; to do: write a whole number",
    )
