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
from newsletter.ports import AccessTokens
from tests.inbound.corpus import plain
from tests.inbound.dovecot import PASSWORD, USER, Dovecot, dovecot
from tests.inbound.test_process import Desk, desk
from tests.inbound.test_receiving import receiving
from tests.smtp_server import Certificates
from tests.store.samples import suppressed

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


async def test_a_token_that_the_server_refuses_is_renewed_once(server: Dovecot, ca_file: Path) -> None:
    class Renewing(AccessTokens):
        def __init__(self, *tokens: str) -> None:
            self.left = list(tokens)

        async def token(self) -> str:
            return self.left.pop(0)

        async def renewed(self, refused: str) -> str:
            return self.left.pop(0)

    tokens = Renewing("a-token-of-yesterday", TOKEN)
    async with box(server, ca_file, tokens=tokens).open() as mailbox:
        assert await mailbox.unread(limit=1) == []
    assert tokens.left == []
    with pytest.raises(InboundError, match=r"refuses the login: .*\(invalid_token\)|refuses the login"):
        async with box(server, ca_file, tokens=Renewing("wrong", "wrong as well")).open():
            pass


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
