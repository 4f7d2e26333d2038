"""A mailbox at a real IMAP server, with TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from newsletter.core.bounces import Outcome
from newsletter.core.errors import ConfigurationError, InboundError
from newsletter.core.relay import Security
from newsletter.inbound.imap import ImapConfig, ImapSource
from newsletter.operations.alarms import LedgerAlarm
from newsletter.parts.relaying import Relaying
from newsletter.settings.groups import PathSettings, Settings
from newsletter.settings.inbound import InboundSettings
from newsletter.store import open_store
from tests.inbound.corpus import plain
from tests.inbound.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.inbound.hooks import NOW
from tests.inbound.test_process import Desk, desk
from tests.inbound.test_receiving import receiving
from tests.smtp_server import Certificates
from tests.store.samples import suppressed
from tests.token_server import token_server

__all__ = ["desk"]

TOKEN = "a-token-that-ends-soon"


@pytest.fixture
async def server(certificates: Certificates, httpserver: HTTPServer) -> AsyncIterator[Dovecot]:
    """Give a server that takes a password or a token, of which it asks another server whose it is."""
    httpserver.expect_request("/token", query_string={"of": TOKEN}).respond_with_json({"email": USER})
    async with dovecot(certificates, httpserver.url_for("/token?of=")) as server:
        yield server


def box(server: Dovecot, ca_file: Path | None, **changes: Any) -> ImapSource:
    config: dict[str, Any] = {
        "host": "localhost",
        "port": server.port,
        "security": Security.TLS,
        "username": USER,
        "password": lambda: PASSWORD,
        "token": str,
        "ca_file": ca_file,
    }
    return ImapSource(ImapConfig(**config | changes))


async def test_a_mailbox_is_read_and_its_mails_are_moved_or_deleted_when_they_are_kept(
    server: Dovecot, ca_file: Path, desk: Desk
) -> None:
    server.put("1", desk.bounce(0))
    server.put("2", plain("people@example.org", "Hello", "Hi", to="bounces@example.org").encode())

    rehearsed = await desk.mail.process([box(server, ca_file)], rehearse=True)
    assert (rehearsed.mails, server.files(), server.files("Processed")) == (2, 2, 0)

    done = await desk.mail.process([box(server, ca_file)])
    assert done.outcomes == {Outcome.DEAD: 1, Outcome.UNKNOWN: 1}
    assert await suppressed(desk.store, "daily") == {"reader0@example.org"}
    assert (server.files(), server.files("Processed")) == (0, 2)

    server.put("3", desk.bounce(1))
    server.put("4", plain("people@example.org", "Hello again", "Hi", to="bounces@example.org").encode())
    done = await desk.mail.process([box(server, ca_file, deletes=True)])
    assert (done.mails, server.files(), server.files("Processed")) == (2, 0, 3)  # what nobody understood is kept


async def test_a_mailbox_takes_a_token_of_a_file_which_is_read_at_each_login(
    server: Dovecot, ca_file: Path, desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    settings: dict[str, Any] = {"imap_host": "localhost", "imap_port": server.port, "imap_username": USER}
    mailbox = (await receiving(**settings, imap_token_file=file, imap_ca_file=ca_file)).imap()
    server.put("1", desk.bounce(0))

    with pytest.raises(ConfigurationError, match=r"__IMAP_TOKEN_FILE: .*token cannot be read: No such"):
        await desk.mail.process([mailbox])
    file.write_text("a token of yesterday\n")
    with pytest.raises(InboundError, match="refuses the login"):
        await desk.mail.process([mailbox])
    file.write_text(f"{TOKEN}\n")
    assert (await desk.mail.process([mailbox])).outcomes == {Outcome.DEAD: 1}


async def test_a_token_that_the_server_refuses_is_renewed_once(
    server: Dovecot, ca_file: Path, tmp_path: Path
) -> None:
    store, closing = await open_store("sqlite://"), list[Any]()
    async with token_server() as issuer:
        inbound = InboundSettings(
            imap_host="localhost",
            imap_username=USER,
            imap_oauth_token_url=issuer.url,
            imap_oauth_client_id="our-id",
            imap_oauth_refresh_token="ours",
        )
        settings = Settings(inbound=inbound, paths=PathSettings(state=tmp_path))
        alarm = LedgerAlarm(store.alarms, (), lambda: NOW)

        def source() -> ImapSource:
            made = Relaying(settings, store, lambda: NOW, closing.append, alarm)
            return box(server, ca_file, tokens=made.mailbox_tokens)

        issuer.answers = [(200, {"access_token": token}) for token in ("a-token-of-yesterday", TOKEN)]
        async with source().open() as mailbox:
            assert await mailbox.unread(limit=1) == []
        issuer.answers = [(200, {"access_token": "of nobody"}), (400, {"error": "invalid_grant"})]
        with pytest.raises(InboundError, match=r"cannot log in: .*NEWSLETTER_INBOUND__IMAP_OAUTH_REFRESH_TOKEN"):
            async with source().open():
                pass
        assert [one.cause.value for one in await store.alarms.lasting()] == ["token"]
    for close in (*closing, store.close):
        await close()


async def test_what_is_wrong_with_the_way_to_a_mailbox_is_said_in_one_line(server: Dovecot, ca_file: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"password": lambda: "wrong"}, "refuses the login: .*NEWSLETTER_INBOUND__IMAP_PASSWORD"),
        ({"token": lambda: "a token"}, "refuses the login: .*or the token"),
        ({"ca_file": None}, "no TLS: .*CERTIFICATE_VERIFY_FAILED.*IMAP_CA_FILE"),
        ({"folder": "Elsewhere"}, "NEWSLETTER_INBOUND__IMAP_FOLDER is no folder there"),
        ({"port": 1}, "localhost:1: .*refused"),
    ]
    for changes, said in wrong:
        with pytest.raises(InboundError, match=said) as raised:
            async with box(server, **{"ca_file": ca_file, **changes}).open():
                pass
        assert "\n" not in str(raised.value)
