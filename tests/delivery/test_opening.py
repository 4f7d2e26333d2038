"""How a session begins, and which setting is named if it can't."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.core.delivery import DeliveryState
from newsletter.core.errors import RelayError, RelaySetupError
from newsletter.core.relay import Pipelining, Security
from newsletter.delivery.smtp import advice, opening
from newsletter.delivery.smtp.opening import full_name
from newsletter.delivery.smtp.relay import RelayConfig, SmtpRelay
from newsletter.delivery.smtp.replies import Reply, Stage
from newsletter.delivery.smtp.stepwise import StepwiseSession
from tests.delivery.dialogue import Dialogue, playing
from tests.delivery.fakes import FakeOutbox, message_for
from tests.delivery.services import process, relay_to, send
from tests.smtp_server import Certificates, SmtpServer

SENDER, ANN = "papers@example.org", "ann@example.org"
MESSAGE = b"From: papers@example.org\r\nTo: ann@example.org\r\n\r\nHello\r\n"
OUR_NAME = "newsletter.example.org"

# ── What a relay is greeted with ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this machine have no full name."""
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    monkeypatch.setattr(socket, "getfqdn", lambda: "laptop.localdomain")


async def greeted_with(sender: str = "", **config: object) -> str:
    heard = ""

    async def server(client: Dialogue) -> None:
        nonlocal heard
        client.say("220 relay.example.org")
        heard = (await client.hear("\r\n")).strip()
        client.say("250 relay.example.org")
        await client.hear_no_more()

    async with playing(server, **config) as relays:
        session = await relays.connect(sender=sender)
        await session.close()
    return heard


async def test_the_name_of_the_settings_goes_first(nameless: None) -> None:
    assert await greeted_with(SENDER, ehlo_name="mail.example.net") == "EHLO mail.example.net"


async def test_then_the_machines_full_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "host.example.net")

    assert await greeted_with(SENDER, ehlo_name="") == "EHLO host.example.net"


async def test_then_what_dns_says_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "host")
    monkeypatch.setattr(socket, "getfqdn", lambda: "host.example.net")

    assert await greeted_with(SENDER, ehlo_name="") == "EHLO host.example.net"


async def test_dns_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> str:
        time.sleep(0.5)  # in a thread
        return "host.example.net"

    monkeypatch.setattr(opening, "_LOOKING_UP", 0.05)
    monkeypatch.setattr(socket, "gethostname", lambda: "host")
    monkeypatch.setattr(socket, "getfqdn", slow)

    assert await greeted_with(SENDER, ehlo_name="") == "EHLO example.org"


async def test_then_the_senders_domain(nameless: None) -> None:
    assert await greeted_with(SENDER, ehlo_name="") == "EHLO example.org"


@pytest.mark.parametrize("sender", ["", "papers@localhost", "papers@bücher.example", "papers"])
async def test_and_an_address_where_there_is_nothing_else(nameless: None, sender: str) -> None:
    assert await greeted_with(sender, ehlo_name="") == "EHLO [127.0.0.1]"


async def test_a_whole_issue_greets_with_its_senders_domain(nameless: None) -> None:
    async with SmtpServer() as server:
        server.answer("EHLO", "250 hello", address="example.org")
        server.answer("EHLO", "550 who?", address="laptop")

        report = await process(FakeOutbox.of(3), relay_to(server, ehlo_name="")).deliver(message_for)

        assert report.sent == 3


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("mail.example.org", "mail.example.org"),
        ("mail.example.org.", "mail.example.org"),
        ("a-b.example.co.uk", "a-b.example.co.uk"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("localhost", ""),
        ("laptop", ""),
        ("localhost.localdomain", ""),
        ("laptop.local", ""),
        ("vm.c.project.internal", ""),
        ("nas.lan", ""),
        ("1.0.0.127.in-addr.arpa", ""),
        ("192.0.2.1", ""),
        ("::1", ""),
        ("under_score.example.org", ""),
        ("bücher.example", ""),
        ("two words.example", ""),
        ("", ""),
        (".", ""),
        ("example..org", ""),
    ],
)
def test_a_full_name_is_one_that_others_may_know(name: str, full: str) -> None:
    assert full_name(name) == full


@given(st.text())
def test_a_full_name_is_fit_for_a_command(text: str) -> None:
    name = full_name(text)

    assert name.isascii()
    assert not set(name) & set(" \r\n\0<>")


# ── HELO ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def says_helo(client: Dialogue) -> None:
    """Play a server of 1990."""
    client.say("220 relay.example.org")
    assert await client.hear("\r\n") == f"EHLO {OUR_NAME}\r\n"
    client.say("500 command unrecognized")
    assert await client.hear("\r\n") == f"HELO {OUR_NAME}\r\n"
    client.say("250 relay.example.org")
    for command, reply in (("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go on")):
        assert (await client.hear("\r\n")).startswith(command)
        client.say(reply)
    await client.hear("\r\n.\r\n")
    client.say("250 taken")


async def test_where_ehlo_is_unknown_helo_is_said() -> None:
    async with playing(says_helo) as relays:
        session = await relays.connect()
        assert isinstance(session, StepwiseSession)
        assert (await send(session, SENDER, ANN, MESSAGE)).state is DeliveryState.SENT
        await session.close()


@pytest.mark.parametrize("reply", ["502 5.5.1 unimplemented", "500 what?", "504 no", "501 no"])
async def test_never_where_tls_is_asked_for(reply: str) -> None:
    async with SmtpServer() as server:
        server.answer("EHLO", reply)

        with pytest.raises(RelaySetupError, match=r"STARTTLS.*NEWSLETTER_SMTP__SECURITY"):
            await relay_to(server, security=Security.STARTTLS).connect()

        assert server.told == []


async def test_where_helo_alone_is_known_there_is_no_login() -> None:
    async with SmtpServer() as server:
        server.answer("EHLO", "502 what?")

        with pytest.raises(RelaySetupError, match=r"no login.*NEWSLETTER_SMTP__USERNAME"):
            await relay_to(server, username="papers", password="opensesame").connect()


@pytest.mark.parametrize("reply", ["550 go away", "554 no", "421 busy"])
async def test_a_server_that_turns_us_away_at_ehlo_is_not_asked_again(reply: str) -> None:
    async def server(client: Dialogue) -> None:
        client.say("220 relay.example.org")
        await client.hear("\r\n")
        client.say(reply)
        assert await client.hear_no_more() == b""

    async with playing(server) as relays:
        with pytest.raises(RelayError, match=reply):
            await relays.connect()


# ── The greeting ─────────────────────────────────────────────────────────────────────────────────────────────────


async def late(client: Dialogue) -> None:
    await asyncio.sleep(0.3)
    client.say("220 relay.example.org")
    await client.hear("\r\n")
    client.say("250 relay.example.org")
    await client.hear_no_more()


async def silent(client: Dialogue) -> None:
    await client.hear_no_more()


async def test_a_late_greeting_is_waited_for() -> None:
    began = time.monotonic()
    async with playing(late, greeting_timeout=2.0) as relays:
        await (await relays.connect()).close()
    assert time.monotonic() - began >= 0.3


async def test_a_relay_that_has_greeted_once_has_longer() -> None:
    async def prompt(client: Dialogue) -> None:
        await client.greet()
        await client.hear_no_more()

    async with playing(prompt, late, silent, greeting_timeout=0.1, timeout=0.6) as relays:
        await (await relays.connect()).close()
        await (await relays.connect()).close()
        with pytest.raises(RelayError, match="timed out") as failed:
            await relays.connect()
        assert not isinstance(failed.value, RelaySetupError)


async def test_a_port_that_says_nothing_may_speak_tls() -> None:
    async with playing(silent, greeting_timeout=0.1) as relays:
        with pytest.raises(RelaySetupError, match=r"SECURITY=tls.*SMTP__PORT.*SMTP__GREETING_TIMEOUT"):
            await relays.connect()


async def test_half_a_greeting_is_none() -> None:
    async def drip(client: Dialogue) -> None:
        client.writer.write(b"220-rel")
        await client.hear_no_more()

    async with playing(drip, greeting_timeout=0.1) as relays:
        with pytest.raises(RelaySetupError, match="no greeting within"):
            await relays.connect()


async def drips(client: Dialogue) -> None:
    """Send a reply that never ends, a byte at a time."""
    with suppress(ConnectionError):
        while not client.writer.is_closing():
            client.writer.write(b"2")
            await asyncio.sleep(0.02)


async def drips_in_ehlo(client: Dialogue) -> None:
    client.say("220 relay.example.org")
    await client.hear("\r\n")
    await drips(client)


async def adds_line_after_line_to_ehlo(client: Dialogue) -> None:
    client.say("220 relay.example.org")
    await client.hear("\r\n")
    with suppress(ConnectionError):
        while not client.writer.is_closing():
            client.say("250-X-MORE")
            await asyncio.sleep(0.02)


async def drips_in_starttls(client: Dialogue) -> None:
    await client.greet("STARTTLS")
    await client.hear("\r\n")
    await drips(client)


async def never_begins_tls(client: Dialogue) -> None:
    await client.greet("STARTTLS")
    await client.hear("\r\n")
    client.say("220 go on")
    await client.hear_no_more()


async def drips_in_auth(client: Dialogue) -> None:
    await client.greet("AUTH PLAIN LOGIN")
    await client.hear("\r\n")
    await drips(client)


async def takes_its_time_at_each_step(client: Dialogue) -> None:
    for reply in ("220 relay.example.org", "250-relay.example.org\r\n250 AUTH PLAIN", "235 welcome"):
        await asyncio.sleep(0.2)
        if client.writer.is_closing():
            return
        client.say(reply)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await client.hear("\r\n")


LOGIN = {"username": "papers", "password": "opensesame"}


@pytest.mark.parametrize(
    ("script", "config"),
    [
        (drips_in_ehlo, {}),
        (adds_line_after_line_to_ehlo, {}),
        (drips_in_starttls, {"security": Security.STARTTLS}),
        (never_begins_tls, {"security": Security.STARTTLS}),
        (drips_in_auth, LOGIN),
        (takes_its_time_at_each_step, LOGIN),
    ],
)
async def test_the_whole_opening_has_one_deadline(
    script: Callable[[Dialogue], Awaitable[None]], config: dict[str, Any]
) -> None:
    began = time.monotonic()
    async with playing(script, timeout=0.4, **config) as relays:
        with pytest.raises(RelaySetupError, match=r"not ready for mail within 0.4 .*NEWSLETTER_SMTP__TIMEOUT"):
            await relays.connect()
        assert time.monotonic() - began < 3


async def test_a_relay_that_is_never_ready_is_tried_once_and_one_that_was_ready_again() -> None:
    outbox = FakeOutbox.of(3)
    async with playing(drips_in_ehlo, timeout=0.3, connections=1) as relays:
        report = await process(outbox, relays, pauses=(5.0, 5.0, 5.0)).deliver(message_for)
    assert "not ready for mail" in report.trouble
    assert outbox.states() == {DeliveryState.QUEUED: 3}

    async def prompt(client: Dialogue) -> None:
        await client.greet()
        await client.hear_no_more()

    async with playing(prompt, drips_in_ehlo, timeout=0.3) as relays:
        await (await relays.connect()).close()
        with pytest.raises(RelayError, match="timed out") as failed:
            await relays.connect()
        assert not isinstance(failed.value, RelaySetupError)


async def test_starttls_towards_a_port_that_awaits_tls(certificates: Certificates, ca_file: Path) -> None:
    async with SmtpServer(tls=certificates, implicit=True) as server:
        relays = relay_to(server, security=Security.STARTTLS, ca_file=ca_file, greeting_timeout=0.2)

        with pytest.raises(RelaySetupError, match="NEWSLETTER_SMTP__SECURITY=tls"):
            await relays.connect()


@pytest.mark.parametrize("greeting", ["220 relay.example.org", "+OK POP3 ready", "* OK IMAP4rev1", "SSH-2.0-x"])
async def test_tls_towards_a_port_that_begins_in_the_clear(greeting: str) -> None:
    async def server(client: Dialogue) -> None:
        client.say(greeting)
        await client.hear_no_more()

    async with playing(server, security=Security.TLS) as relays:
        with pytest.raises(RelaySetupError, match=r"SECURITY=starttls.*SMTP__PORT=465"):
            await relays.connect()


@pytest.mark.parametrize("greeting", ["+OK POP3 ready", "* OK IMAP4rev1", "SSH-2.0-x", "HTTP/1.1 400 Bad Request"])
async def test_a_port_of_another_protocol(greeting: str) -> None:
    async def server(client: Dialogue) -> None:
        client.say(greeting)
        await client.hear_no_more()

    async with playing(server) as relays:
        with pytest.raises(RelaySetupError, match=r"no SMTP server.*SMTP__PORT"):
            await relays.connect()


# ── Once ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_mistake_in_the_settings_is_made_once_and_named(security: Security) -> None:
    outbox = FakeOutbox.of(20)
    async with SmtpServer() as server:
        relays = relay_to(server, security=security, connections=1)
        began = time.monotonic()

        report = await process(outbox, relays, pauses=(5.0, 5.0, 5.0)).deliver(message_for)

        assert server.connections == 1
    assert "NEWSLETTER_SMTP__SECURITY" in report.trouble
    assert outbox.states() == {DeliveryState.QUEUED: 20}
    assert time.monotonic() - began < 4.0


async def test_connections_that_waited_for_a_message_do_not_repeat_the_mistake_of_the_first() -> None:
    async def no_starttls(client: Dialogue) -> None:
        await asyncio.sleep(0.2)
        await client.greet()
        await client.hear_no_more()

    async with playing(no_starttls, security=Security.STARTTLS, connections=4) as relays:
        report = await process(FakeOutbox.of(1), relays).deliver(message_for)

    assert report.returned == 1


async def test_a_mistake_about_the_first_relay_leaves_the_mail_to_the_next(server: SmtpServer) -> None:
    async with SmtpServer() as wrong:
        first = relay_to(wrong, security=Security.STARTTLS, connections=1)

        report = await process(FakeOutbox.of(10), first, relay_to(server), pauses=(5.0,)).deliver(message_for)

    assert (report.sent, len(server.received)) == (10, 10)


async def test_the_next_run_tries_again() -> None:
    async with SmtpServer() as server:
        server.answer("EHLO", "501 5.5.4 invalid", times=2)
        delivering = process(FakeOutbox.of(3), relay_to(server, connections=1), pauses=(0.01,))

        first = await delivering.deliver(message_for)
        second = await delivering.deliver(message_for)

    assert "EHLO_NAME" in first.trouble or first.sent == 3  # HELO may do
    assert first.sent + second.sent == 3


# ── What a relay objects to ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pipelining", [Pipelining.MESSAGES, Pipelining.OFF])
@pytest.mark.parametrize(
    ("step", "reply", "setting"),
    [
        (
            "RCPT",
            "504 5.5.2 <newsletter.example.org>: Helo command rejected: need fully-qualified hostname",
            "EHLO_NAME",
        ),
        ("RCPT", "504 5.5.2 newsletter.example.org: not a full host name", "EHLO_NAME"),
        ("RCPT", "450 4.7.1 <newsletter.example.org>: Helo command rejected: Host not found", "EHLO_NAME"),
        ("MAIL", "550 5.7.1 Invalid HELO name", "EHLO_NAME"),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first", "SECURITY=starttls"),
        ("MAIL", "530 5.7.0 Authentication required", "USERNAME"),
        ("MAIL", "530 5.7.57 Client not authenticated to send mail", "USERNAME"),
        ("RCPT", "550 5.7.1 Authentication required", "USERNAME"),
        ("MAIL", "550 SMTP authentication is required", "USERNAME"),
    ],
)
async def test_a_setting_that_a_relay_objects_to_is_named(
    server: SmtpServer, step: str, reply: str, setting: str, pipelining: Pipelining
) -> None:
    server.answer(step, reply)
    session = await relay_to(server, pipelining=pipelining).connect()

    with pytest.raises(RelaySetupError, match=f"NEWSLETTER_SMTP__{setting}"):
        await send(session, SENDER, ANN, MESSAGE)
    await session.close()


@pytest.mark.parametrize("pipelining", [Pipelining.MESSAGES, Pipelining.OFF])
async def test_a_relay_that_took_mail_has_no_objection_to_our_settings(
    server: SmtpServer, pipelining: Pipelining
) -> None:
    relays = relay_to(server, pipelining=pipelining, messages_per_connection=1)
    first = await relays.connect()
    await send(first, SENDER, ANN, MESSAGE)
    await first.close()
    server.answer("MAIL", "530 5.7.0 Authentication required")
    session = await relays.connect()

    with pytest.raises(RelayError) as failed:
        await send(session, SENDER, ANN, MESSAGE)

    assert not isinstance(failed.value, RelaySetupError)
    await session.close()


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 no such user",
        "550 5.7.1 message refused by the recipient's policy",
        "554 5.7.1 Relay access denied",
        "451 4.7.1 greylisted",
        "550 5.7.1 sender's HELO has a bad reputation here",
        "504 5.5.2 <ann>: Recipient address rejected: need fully-qualified address",
        "250 2.1.5 ok",
    ],
)
def test_what_is_said_of_a_reader_is_no_mistake_of_ours(text: str) -> None:
    code, _, said = text.partition(" ")

    advice.check_setup(Stage.RCPT, Reply(int(code), said), RelayConfig(host="relay.example.org"), OUR_NAME)


@pytest.mark.parametrize("step", ["EHLO", "GREETING"])
async def test_a_name_that_is_refused_at_once_is_named_too(server: SmtpServer, step: str) -> None:
    server.answer(step, "550 5.7.1 Invalid EHLO name")

    with pytest.raises(RelaySetupError, match="EHLO_NAME"):
        await relay_to(server).connect()


@pytest.mark.parametrize("size", ["9" * 5000, "nonsense", "-1", "1 2 3", "٣"])
@pytest.mark.parametrize("extension", ["PIPELINING", "HELP"])
async def test_a_size_that_makes_no_sense_costs_no_mail(size: str, extension: str) -> None:
    async def server(client: Dialogue) -> None:
        await client.greet(f"SIZE {size}", extension)
        while (command := await client.hear("\r\n")) != "QUIT\r\n":
            if command == "DATA\r\n":
                client.say("354 go on")
                await client.hear("\r\n.\r\n")
            client.say("250 ok")
        client.say("221 bye")

    async with playing(server) as relays:
        session = await relays.connect()
        assert (await send(session, SENDER, ANN, MESSAGE)).state is DeliveryState.SENT
        await session.close()


async def test_a_size_without_end_leaves_the_mail_to_the_next_relay(server: SmtpServer) -> None:
    async def endless(client: Dialogue) -> None:
        await client.greet("SIZE " + "9" * 100_000)
        await client.hear_no_more()

    async with playing(endless, connections=1) as relays:
        report = await process(FakeOutbox.of(3), relays, relay_to(server), pauses=(5.0,)).deliver(message_for)

    assert report.sent == 3


# ── Login and certificate ────────────────────────────────────────────────────────────────────────────────────────


def refusal(host: str, reply: Reply, **config: object) -> str:
    error = advice.login_refused(RelayConfig(host=host, username="papers", **config), reply)  # type: ignore[arg-type]
    assert isinstance(error, RelaySetupError)
    return str(error)


@pytest.mark.parametrize(
    ("host", "text", "words"),
    [
        ("smtp.gmail.com", "5.7.8 Username and Password not accepted", "Gmail wants an application password"),
        ("smtp-relay.gmail.com", "5.7.8 not accepted", "Gmail wants an application password"),
        ("SMTP.Gmail.com.", "5.7.8 not accepted", "Gmail wants an application password"),
        ("smtp.mail.yahoo.com", "5.7.0 #AUTH005 Too many bad auth attempts", "Yahoo wants an application"),
        ("smtp.mail.me.com", "5.7.8 Error: authentication failed", "iCloud wants an application"),
        ("smtp.fastmail.com", "5.7.0 Incorrect username or password", "Fastmail wants an application"),
        ("mail.example.org", "5.7.9 Application-specific password required", "this provider wants an application"),
        ("mail.example.org", "5.7.8 authentication failed", "many providers want an application password"),
        ("notgmail.com", "5.7.8 authentication failed", "many providers want an application password"),
        ("smtp.office365.com", "5.7.139 SmtpClientAuthentication is disabled for the Tenant", "switched logins"),
    ],
)
def test_a_refused_login_says_what_providers_want(host: str, text: str, words: str) -> None:
    said = refusal(host, Reply(535, text))

    assert words in said
    assert "NEWSLETTER_SMTP__" in said
    assert "\n" not in said


def test_a_login_that_is_put_off_is_tried_again() -> None:
    error = advice.login_refused(RelayConfig(host="smtp.gmail.com"), Reply(454, "4.7.0 Too many login attempts"))

    assert not isinstance(error, RelaySetupError)


async def test_a_relay_without_logins_is_named_with_the_setting(server: SmtpServer) -> None:
    with pytest.raises(RelaySetupError, match=r"offers no login.*SMTP__SECURITY.*SMTP__USERNAME"):
        await relay_to(server, username="papers", password="opensesame").connect()


async def test_logins_of_other_kinds_are_named() -> None:
    async def server(client: Dialogue) -> None:
        await client.greet("AUTH GSSAPI NTLM")
        await client.hear_no_more()

    async with playing(server, username="papers", password="opensesame") as relays:
        with pytest.raises(RelaySetupError, match="gssapi ntlm"):
            await relays.connect()


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_that_is_not_trusted_names_host_and_ca_file(
    certificates: Certificates, security: Security
) -> None:
    async with SmtpServer(tls=certificates, implicit=security is Security.TLS) as server:
        with pytest.raises(RelaySetupError, match=r"certificate.*SMTP__HOST.*SMTP__CA_FILE"):
            await relay_to(server, security=security).connect()


async def test_a_host_that_does_not_exist_is_named_with_the_setting() -> None:
    relays = SmtpRelay(RelayConfig(host="no-such-host.invalid", ehlo_name=OUR_NAME, security=Security.NONE))

    with pytest.raises(RelayError, match="NEWSLETTER_SMTP__HOST"):
        await relays.connect()


async def test_a_further_relay_is_named_by_its_place(server: SmtpServer) -> None:
    with pytest.raises(RelaySetupError, match=r"NEWSLETTER_SMTP__RELAYS\[1\]\.security"):
        await relay_to(server, security=Security.STARTTLS, further=1).connect()


# ── Which setting to change, where no server of ours answers so ──────────────────────────────────────────────────


@pytest.mark.parametrize("connected", [False, True])
def test_a_relay_that_says_nothing_brings_up_its_host_and_its_security(connected: bool) -> None:
    said = str(advice.silent(RelayConfig(host="relay.example.org"), 10, connected=connected))

    assert "within 10 seconds" in said
    assert ("NEWSLETTER_SMTP__SECURITY=tls" in said) == connected
    assert "NEWSLETTER_SMTP__GREETING_TIMEOUT" in said


def test_a_handshake_that_fails_brings_up_port_and_security() -> None:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    error.reason = "WRONG_VERSION_NUMBER"
    starttls, tls = (
        str(advice.broken(RelayConfig(host="relay.example.org", security=security), error))
        for security in (Security.STARTTLS, Security.TLS)
    )

    assert "NEWSLETTER_SMTP__SECURITY=starttls" in tls
    assert "NEWSLETTER_SMTP__PORT" in starttls


def test_an_acceptance_is_no_objection_to_our_name() -> None:
    assert not advice.objects_to_name(Reply(250, "HELO example.org"), "example.org")


def test_a_relay_without_password_logins_is_named_with_what_it_offers() -> None:
    config = RelayConfig(host="relay.example.org", username="papers")

    assert "offers only logins of the kinds GSSAPI" in str(advice.no_login(config, "GSSAPI"))
    assert "587 or 465" in str(advice.no_login(config, ""))
